import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type BetterSqlite3 from 'better-sqlite3'
import { migratePostgres, migrateSqlite } from '@/db/migrate'
import type { PgHandle, StoreHandle } from '@/db/open'
import { Store } from '@/db/store'
import { HoldfastError } from '@/server/errors'
import type { Vault } from '@/server/vault'

/** A database of the accounts' own, as `holdfast/database` opens it. */
export type AccountsDatabase =
  | { dialect: 'sqlite'; client: BetterSqlite3.Database; handle: StoreHandle }
  | { dialect: 'postgresql'; client: Pick<PgHandle, 'connect' | 'direct'>; handle: StoreHandle }

/**
 * Brings a database to this release's tables, those of the console's store, and opens the store on it. Several
 * processes may do so at once. Throws CONFLICT, and changes nothing, where somebody else's tables are.
 */
export async function openAccountsStore({
  database,
  vault,
}: {
  database: AccountsDatabase
  vault: Vault
}): Promise<Store> {
  if (database.dialect === 'sqlite') {
    const tables = database.client.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all()
    refuseForeign((tables as { name: string }[]).map(({ name }) => name))
    migrateSqlite(database.client, migrations())
  } else {
    await migratePostgres(database.client, migrations(), {
      async before(ask) {
        const { rows } = await ask(`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`)
        refuseForeign(rows.map(({ name }) => name ?? ''))
      },
    })
  }
  return new Store(database.handle, { id: vault.keyId, key: vault.key('audit') })
}

function refuseForeign(tables: string[]): void {
  if (tables.length === 0 || tables.includes('audit_events')) return
  throw new HoldfastError('CONFLICT', {
    message: `The accounts need a database of their own: this one holds ${tables[0]}.`,
    remedy: 'Make one for them, beside the application’s: CREATE DATABASE, or another SQLite file.',
  })
}

/** The migrations of both dialects: bundles stand one folder deep, sources three. */
function migrations(): string {
  const places = ['..', '../../..'].map((up) => join(import.meta.dirname, up, 'db', 'migrations'))
  return places.find((place) => existsSync(place)) ?? (places[0] as string)
}
