// A writer of audit events in a process of its own, for tests: batches of every size, one after the other.
import { openPostgres } from '@/db/open'
import { Store } from '@/db/store'
import { openPool } from '@/db/testing/pools'
import { unit } from '@/db/unit'
import { type AuditEvent, appendAuditBatch, system } from '../append'

/** What the process gets as its argument; the key in base64. */
export interface AppenderSetUp {
  url: string
  auditKey: { id: string; key: string }
  name: string
  /** Sizes of the batches. */
  sizes: number[]
}

const { url, auditKey, name, sizes } = JSON.parse(process.argv[2] ?? '{}') as AppenderSetUp
const pool = openPool({ connectionString: url, max: 2 })
const store = new Store(openPostgres(pool), { ...auditKey, key: Buffer.from(auditKey.key, 'base64') })
const append = unit('test.append', (tx, events: AuditEvent[]) => appendAuditBatch(tx, events))

await Promise.all(
  sizes.map((size, batch) =>
    store.run(
      append,
      Array.from({ length: size }, (_, number) => ({
        ...system,
        ...{ time: 1_700_000_000_000 + number, event: 'sys_startup', outcome: 'success' },
        target: `${name}:${batch}:${number}`,
      })),
    ),
  ),
)
await pool.end()
process.disconnect?.()
