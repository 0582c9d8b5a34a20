import Database from 'better-sqlite3'
import { Client } from 'pg'
import { MARKER, type TableShape, writeOnce } from './migrate-source'

export interface Difference {
  /** Rows of the source's state that are not in the target, or with another value. */
  lost: number
  /** Rows of the target that the state doesn't have, or has less often. */
  doubled: number
  rows: number
  /** Rows of the source's state that PostgreSQL has no room for. */
  rejected: number
  /** How many of the writer's transactions the target has. */
  writes: number
}

/**
 * Compares every value of every row. The target says by its marker which state was copied; that state is made on a
 * copy of the first one, by the same writes again.
 */
export async function compareSides({
  copy,
  shape,
  seed,
  url,
}: {
  copy: string
  shape: readonly TableShape[]
  seed: number
  url: string
}): Promise<Difference> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const db = new Database(copy)
  try {
    db.pragma('synchronous = OFF')
    const { rows: marker } = await client.query(`SELECT n::int AS n FROM ${MARKER}`)
    const writes = (marker[0]?.n as number | undefined) ?? 0
    for (let n = 1; n <= writes; n++) writeOnce(db, shape, seed, n)
    const found: Difference = { lost: 0, doubled: 0, rows: 0, rejected: 0, writes }
    for (const name of [MARKER, ...shape.map((table) => table.name)]) {
      const balance = new Map<string, number>()
      const count = (key: string, by: number) => balance.set(key, (balance.get(key) ?? 0) + by)
      for (const row of await targetRows(client, name)) count(row, 1)
      for (const row of sourceRows(db, name)) {
        found.rows++
        if (row.includes('\\u0000')) found.rejected++
        else count(row, -1)
      }
      for (const by of balance.values()) {
        if (by < 0) found.lost -= by
        else found.doubled += by
      }
    }
    return found
  } finally {
    db.close()
    await client.end()
  }
}

function sourceRows(db: Database.Database, table: string): string[] {
  const rows = db.prepare(`SELECT * FROM ${table}`).raw().safeIntegers().all() as unknown[][]
  const types = db.prepare(`SELECT type FROM pragma_table_info(?)`).pluck().all(table) as string[]
  return rows.map((row) => JSON.stringify(row.map((value, i) => fromSource(value, types[i] as string))))
}

function fromSource(value: unknown, type: string): string | null {
  if (value === null) return null
  if (type === 'REAL') return bits(Number(value))
  return Buffer.isBuffer(value) ? value.toString('hex') : String(value)
}

const DOUBLE = 701
const BYTES = 17

async function targetRows(client: Client, table: string): Promise<string[]> {
  const { rows, fields } = await client.query<(string | null)[]>({
    text: `SELECT * FROM ${table}`,
    rowMode: 'array',
    types: { getTypeParser: () => (text: string) => text },
  })
  const kinds = fields.map((field) => field.dataTypeID)
  return rows.map((row) => JSON.stringify(row.map((text, i) => fromTarget(text, kinds[i] as number))))
}

function fromTarget(text: string | null, kind: number): string | null {
  if (text === null) return null
  if (kind === DOUBLE) return bits(Number(text))
  return kind === BYTES ? text.slice(2) : text
}

function bits(value: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes.toString('hex')
}
