import type { Pool } from 'pg'
import type { PostgresServer } from '@/db/testing/servers'
import type { PostgresDatabase } from '@/server/database'
import type { Load } from './drive'

/** Commits don't wait for the disk: the pool is measured, not the disk and who else uses it. */
export const SERVER = { synchronous_commit: 'off', shared_buffers: '256MB', max_wal_size: '4GB' }

const ROWS = 100_000
const SLOW_SHARE = 0.01
const SLOW_SECONDS = 0.05

export const READ = 'SELECT id, name, price, made_at FROM items WHERE id = $1'
const SLOW = `SELECT id, name, price, made_at, pg_sleep(${SLOW_SECONDS}) FROM items WHERE id = $1`
const EITHER = 'SELECT id, name, price, made_at, pg_sleep($2) FROM items WHERE id = $1'
const TAKE = 'UPDATE items SET price = price - $2 WHERE id = $1'
const NOTE = 'INSERT INTO sales (item_id, amount) VALUES ($1, $2) RETURNING id'
const CLAIM = 'INSERT INTO names (name) VALUES ($1)'

/** What both sides offer a load: one statement, and a connection for a transaction. */
export interface Side {
  query(name: string, text: string, values: unknown[]): Promise<unknown>
  connect(): Promise<{
    query(name: string, text: string, values?: unknown[]): Promise<unknown>
    release(): void
  }>
}

/** pg's own Pool, with every statement named. */
export function rawSide(pool: Pool): Side {
  return {
    query: (name, text, values) => pool.query({ name, text, values }),
    connect: async () => {
      const client = await pool.connect()
      return {
        query: (name, text, values) => client.query(name ? { name, text, values } : text),
        release: () => client.release(),
      }
    },
  }
}

/** What the console uses: the client behind its store. */
export function ourSide({ client }: PostgresDatabase): Side {
  const query = client.query as unknown as (text: string, values: unknown[]) => Promise<unknown>
  return {
    query: (_, text, values) => query(text, values),
    connect: async () => {
      const connection = await client.connect()
      const run = connection.query as unknown as (text: string, values?: unknown[]) => Promise<unknown>
      return { query: (_, text, values) => run(text, values), release: () => connection.release() }
    },
  }
}

export async function fill(postgres: PostgresServer, database: string): Promise<void> {
  const statements = [
    `CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL, price numeric NOT NULL, made_at timestamptz NOT NULL)`,
    `INSERT INTO items SELECT n, 'item ' || md5(n::text), n % 1000, now() - n * interval '1 minute' FROM generate_series(1, ${ROWS}) n`,
    `CREATE TABLE sales (id bigserial PRIMARY KEY, item_id int NOT NULL, amount int NOT NULL)`,
    `CREATE TABLE names (name text PRIMARY KEY)`,
    `INSERT INTO names VALUES ('taken')`,
    `VACUUM ANALYZE`,
  ]
  for (const statement of statements) await postgres.query(statement, [], database)
}

export const anyItem = (below: (n: number) => number): number => 1 + below(ROWS)

export function reads({ query }: Side): Load {
  return async (below) => {
    await query('read', READ, [anyItem(below)])
  }
}

export function sales({ connect }: Side): Load {
  return async (below) => {
    const connection = await connect()
    const item = anyItem(below)
    try {
      await connection.query('', 'BEGIN')
      await connection.query('read', READ, [item])
      await connection.query('take', TAKE, [item, 1])
      await connection.query('note', NOTE, [item, 1])
      await connection.query('', 'COMMIT')
    } finally {
      connection.release()
    }
  }
}

/** Names that were taken by successful inserts, of both sides. */
let claimed = 0

/** Inserts of new names, or of one that is taken: those fail with 23505. */
export function claims({ query }: Side, taken: boolean): Load {
  return async () => {
    const name = taken ? 'taken' : `name ${++claimed}`
    await query('claim', CLAIM, [name]).catch((error: { code?: string }) => {
      if (!taken || error.code !== '23505') throw error
    })
  }
}

/** 1 % of the reads take 50 ms; those are not timed. */
export function mixed({ query }: Side, oneText: boolean): Load {
  return async (below) => {
    const item = anyItem(below)
    const slow = below(1 / SLOW_SHARE) === 0
    if (oneText) await query('either', EITHER, [item, slow ? SLOW_SECONDS : 0])
    else await query(slow ? 'slow' : 'read', slow ? SLOW : READ, [item])
    return !slow
  }
}
