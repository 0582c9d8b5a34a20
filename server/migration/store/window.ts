import { Repeating } from '@/server/repeating'
import { noteLine } from '../runs/run-log'
import { runsInMove, switchedOverRun } from '../runs/runs'
import { settleLeft } from './left'
import type { PostgresSide, SqliteSide } from './own-store'
import { askOf, isPgCapturing, startPgCapture, stopPgCapture } from './pg-capture'
import type { SwitchoverDeps } from './switchover'

const PERIOD_MS = 3_600_000

/**
 * The kept window of a switchover: while it is open every change on PostgreSQL is noted for the way back, and when it
 * is over, or its run was deleted, that ends. Tended at the start and every hour.
 */
export function openWindow<P extends PostgresSide, S extends SqliteSide>(deps: SwitchoverDeps<P, S>) {
  return new Repeating({
    ...{ period: PERIOD_MS, pace: 'begin-to-begin', tick: () => tendWindow(deps) },
    failed: (error) => deps.log.warn({ error }, 'the way back to SQLite was not tended'),
  })
}

/** One look after it. */
export async function tendWindow<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
): Promise<void> {
  const database = deps.database()
  if (database.dialect === 'postgresql') await tendCapture(deps, database.client)
  await settleLeft(deps)
}

async function tendCapture<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
  client: PostgresSide['client'],
): Promise<void> {
  const ask = askOf(client)
  if (!(await isPgCapturing(ask)) || (await runsInMove(deps, 'switchover')).length > 0) return
  const run = await switchedOverRun(deps)
  const until = run?.report?.switchover?.switchBackUntil ?? 0
  if (deps.clock.now() <= until) return startPgCapture(client)
  await stopPgCapture(ask)
  if (run) await noteLine(deps, run.id, 'info', 'The way back to SQLite is closed: its time is over.')
}
