import { openPostgres } from '@/db/open'
import { Store } from '@/db/store'
import { openPool } from '@/db/testing/pools'
import type { AuditKey } from '@/db/unit'

export { verifyLog } from '../verify-log'
export { asSuperuser, named, readLog, tamperings } from './tampering'

/** A store that is at its schema already, for a process that writes to it. */
export function openWritten(url: string, auditKey: AuditKey): { store: Store; close(): Promise<void> } {
  const pool = openPool({ connectionString: url, max: 4 })
  return { store: new Store(openPostgres(pool), auditKey), close: () => pool.end() }
}
