import type { ConnectionOptions } from 'node:tls'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { columnName } from '@/db/columns'
import type { AuditRow } from './chain'

/** Where the log stands. Plain data, so that a thread can open a connection of its own. */
export type LogPlace =
  | { dialect: 'sqlite'; file: string }
  | {
      dialect: 'postgresql'
      host: string
      port: number
      database: string
      user: string
      password: string
      ssl: false | ConnectionOptions
      /** First in search_path; absent: the server's default. */
      schema?: string | undefined
    }

/** One state of the log: its rows and its head were read at the same moment. */
export interface LogSnapshot {
  head: { epoch: number; seq: number; hash: string } | null
  rows(): AsyncIterable<AuditRow[]> | Iterable<AuditRow[]>
}

const BATCH = 2_000

const columns = [
  'seq',
  'epoch',
  'time',
  'event',
  'actorId',
  'actor',
  'target',
  'outcome',
  'reason',
  'address',
  'userAgent',
  'sessionId',
  'requestId',
  'before',
  'after',
  'previousHash',
  'hash',
  'mac',
  'keyId',
  'severity',
  'source',
] as const satisfies (keyof AuditRow)[]

const selected = `select ${columns.map((name) => `"${columnName(name)}"`).join(', ')} from audit_events order by seq`
const headOf = 'select epoch, seq, hash from audit_head where id = 1'

/** Reads a log in one read-only transaction on a connection of its own. The snapshot ends with `work`. */
export async function withSnapshot<T>(
  place: LogPlace,
  work: (snapshot: LogSnapshot) => Promise<T>,
): Promise<T> {
  return place.dialect === 'sqlite' ? onSqlite(place.file, work) : onPostgres(place, work)
}

async function onSqlite<T>(file: string, work: (snapshot: LogSnapshot) => Promise<T>): Promise<T> {
  const client = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: 5_000 })
  try {
    client.exec('BEGIN')
    const head = client.prepare(headOf).get() as LogSnapshot['head'] | undefined
    const statement = client.prepare(selected).raw()
    return await work({
      head: head ?? null,
      *rows() {
        let batch: AuditRow[] = []
        for (const values of statement.iterate() as Iterable<unknown[]>) {
          if (batch.push(rowOf(values)) < BATCH) continue
          yield batch
          batch = []
        }
        if (batch.length > 0) yield batch
      },
    })
  } finally {
    client.close()
  }
}

async function onPostgres<T>(
  { dialect: _, schema, ...place }: LogPlace & { dialect: 'postgresql' },
  work: (snapshot: LogSnapshot) => Promise<T>,
): Promise<T> {
  const client = new Client({ ...place, application_name: 'holdfast audit', connectionTimeoutMillis: 10_000 })
  // A connection that breaks makes the query fail; without a listener it would end the process.
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await client.query('SET LOCAL statement_timeout = 0')
    if (schema) await client.query("SELECT set_config('search_path', quote_ident($1), true)", [schema])
    const { rows: heads } = await client.query({ text: headOf, rowMode: 'array' })
    const [epoch, seq, hash] = (heads[0] ?? []) as unknown[]
    await client.query(`DECLARE log NO SCROLL CURSOR FOR ${selected}`)
    return await work({
      head: heads[0] ? { epoch: Number(epoch), seq: Number(seq), hash: String(hash) } : null,
      async *rows() {
        for (;;) {
          const { rows } = await client.query({ text: `FETCH ${BATCH} FROM log`, rowMode: 'array' })
          if (rows.length === 0) return
          yield (rows as unknown[][]).map(rowOf)
        }
      },
    })
  } finally {
    await client.end().catch(() => {})
  }
}

/** bigint comes as text from PostgreSQL. */
function rowOf(values: unknown[]): AuditRow {
  const row: Record<string, unknown> = {}
  for (let at = 0; at < columns.length; at++) row[columns[at] as string] = values[at]
  row.seq = Number(row.seq)
  if (typeof row.time === 'string' && /^-?\d+$/.test(row.time)) row.time = Number(row.time)
  return row as unknown as AuditRow
}
