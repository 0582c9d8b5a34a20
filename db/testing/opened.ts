import { fileURLToPath } from 'node:url'
import { migratePostgres } from '../migrate'
import { openPostgres } from '../open'
import { Store } from '../store'
import type { AuditKey } from '../unit'
import { openPool } from './pools'

/** A store on a PostgreSQL database that outlives the process, brought to this release's schema; for benches. */
export async function openStoreAt(
  url: string,
  key: AuditKey,
  connections: number,
): Promise<{ store: Store; close(): Promise<void> }> {
  const pool = openPool({ connectionString: url, max: connections })
  await migratePostgres(pool, fileURLToPath(new URL('db/migrations', `file://${process.cwd()}/`)))
  return { store: new Store(openPostgres(pool), key), close: () => pool.end() }
}
