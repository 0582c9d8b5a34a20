import { eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { q, unit } from '@/db/unit'
import { appendAudit, system } from './audit'
import type { Clock } from './clock'
import { type Env, variables } from './env'
import type { Vault } from './vault'

/** Key in `meta` of what the configuration was at the last start: a keyed fingerprint of each value, no value. */
const CONFIGURATION = 'configuration'

type Fingerprints = Record<string, string>

const noteChange = unit(
  'configuration.note',
  function* (tx, { now, prints }: { now: number; prints: Fingerprints }) {
    const { meta } = tx.tables
    const [row] = yield* q(tx.db.select().from(meta).where(eq(meta.key, CONFIGURATION)))
    const value = JSON.stringify(prints)
    if (row?.value === value) return null
    yield* q(
      tx.db
        .insert(meta)
        .values({ key: CONFIGURATION, value })
        .onConflictDoUpdate({ target: meta.key, set: { value } }),
    )
    if (!row) return null
    const before = JSON.parse(row.value) as Fingerprints
    const names = [...new Set([...Object.keys(before), ...Object.keys(prints)])]
    const changed = names.filter((name) => before[name] !== prints[name]).sort()
    yield* appendAudit(tx, {
      ...{ ...system, time: now, event: 'sys_configuration_changed', outcome: 'success' },
      ...{ target: 'configuration', after: { variables: changed } },
    })
    return changed
  },
)

/**
 * Notes which variables have another value than at the last start of a console on this store. Names alone: values,
 * secrets among them, are compared by fingerprints that nobody without the master key can make.
 */
export async function noteConfiguration(
  { store, clock, vault }: { store: Store; clock: Clock; vault: Vault },
  env: Env,
): Promise<string[] | null> {
  const prints = Object.fromEntries(
    Object.keys(variables).flatMap((name) => {
      const value = (env as unknown as Record<string, unknown>)[name]
      if (value === undefined || value === null) return []
      const print = vault.mac('configuration', JSON.stringify([name, value]))
      return [[name, print.toString('hex').slice(0, 16)]]
    }),
  )
  return store.run(noteChange, { now: clock.now(), prints })
}
