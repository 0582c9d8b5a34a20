import BetterSqlite3 from 'better-sqlite3'
import { contentsOf } from './copy'
import { type StorePlace, withClient } from './place'
import { LAST, type LastBackup, lastSchema } from './state'

/** What a store says of itself, read past its schema: it may be of any release. */
export interface StoreFacts {
  /** Its newest migration; null where it has none. */
  schema: number | null
  lastBackup: LastBackup | null
}

/** Reads it without changing anything. Throws where the store can't be read. */
export async function factsOf(place: StorePlace): Promise<StoreFacts> {
  return place.dialect === 'sqlite' ? ofSqlite(place.file) : withClient(place, ofPostgres)
}

function ofSqlite(file: string): StoreFacts {
  const client = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: 5_000 })
  try {
    const { schema } = contentsOf(client)
    if (schema === null) return { schema, lastBackup: null }
    const value = client.prepare('select value from meta where key = ?').pluck().get(LAST)
    return { schema, lastBackup: read(value) }
  } finally {
    client.close()
  }
}

async function ofPostgres(client: Parameters<Parameters<typeof withClient>[1]>[0]): Promise<StoreFacts> {
  const { rows: books } = await client.query(
    "select to_regclass('drizzle.__drizzle_migrations') is not null as there",
  )
  if (!books[0].there) return { schema: null, lastBackup: null }
  const { rows } = await client.query('select max(created_at) as at from drizzle.__drizzle_migrations')
  const { rows: kept } = await client.query('select value from meta where key = $1', [LAST])
  return { schema: rows[0].at == null ? null : Number(rows[0].at), lastBackup: read(kept[0]?.value) }
}

const read = (value: unknown) => (typeof value === 'string' ? lastSchema.parse(JSON.parse(value)) : null)
