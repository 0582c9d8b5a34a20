import { type Retirement, retirePostgres } from '@/db/retired'
import { CAPTURE_TABLE } from './capture'
import type { PostgresSide, SqliteSide } from './own-store'
import { type Ask, isPgCapturing, onConnection, refuseWrites } from './pg-capture'
import { forgetLeftChoice, placeOf, readLeftChoice, readStoreChoice } from './store-choice'
import type { SwitchoverDeps } from './switchover'

/** How long a write of somebody else, such as a command line, is waited for. */
const LOCK_WAIT = '2s'

/**
 * Begins a transaction in which nobody else writes to the store: who wrote before has committed, and who comes
 * waits to note what it writes.
 */
export async function holdLeft(ask: Ask): Promise<void> {
  await ask('BEGIN')
  await ask('SET LOCAL idle_in_transaction_session_timeout = 0')
  await ask(`SET LOCAL lock_timeout = '${LOCK_WAIT}'`)
  await ask(`LOCK TABLE public.${CAPTURE_TABLE} IN SHARE MODE`)
}

/** In that transaction: from its end on the store is marked as left, and every write to it is refused. */
export async function markLeft(ask: Ask, retirement: Retirement): Promise<void> {
  await retirePostgres(ask, retirement)
  const on = new Date(retirement.at).toISOString()
  await refuseWrites(ask, `This store was left on ${on}, when the console moved back to SQLite.`)
}

/** Tells a store that was left, and could not be told then. Tried again while its server can't be reached. */
export async function settleLeft<P extends PostgresSide, S extends SqliteSide>(
  deps: Pick<SwitchoverDeps<P, S>, 'dataDir' | 'vault' | 'clock' | 'openPostgres'>,
): Promise<void> {
  const left = readLeftChoice(deps.dataDir, deps.vault)
  if (!left) return
  const now = readStoreChoice(deps.dataDir, deps.vault)
  // Moved there once more, which takes a database without that store: nobody is left to be told.
  if (now && placeOf(now.target) === placeOf(left.target)) return forgetLeftChoice(deps.dataDir)
  const side = deps.openPostgres(left.target)
  try {
    await onConnection(side.client, async (ask) => {
      if (!(await isPgCapturing(ask))) return
      await holdLeft(ask)
      await markLeft(ask, { at: deps.clock.now(), movedTo: left.retiredFile })
      await ask('COMMIT')
    })
    forgetLeftChoice(deps.dataDir)
  } finally {
    await side.close()
  }
}
