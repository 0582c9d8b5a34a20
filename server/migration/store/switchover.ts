import BetterSqlite3 from 'better-sqlite3'
import { guardPostgres } from '@/db/audit-guard'
import { retiredReason, retireSqlite } from '@/db/retired'
import type { Store } from '@/db/store'
import { type Caller, system } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import type { Vault } from '@/server/vault'
import { beginMove, dropMove, finishMove } from '../runs/move-units'
import { rejectedByTable } from '../runs/rejects'
import type { Run, SwitchoverReport } from '../runs/run'
import { noteLine } from '../runs/run-log'
import { getRun } from '../runs/runs'
import type { Target } from '../types'
import { bringOver, lastCheck, type Sides } from './bring-over'
import { isCapturing, sqliteLog, stopCapture } from './capture'
import { catchUp, expiry, lateReads, longestHold } from './hold'
import type { PostgresSide, SqliteSide } from './own-store'
import { askOf, emptyPgCapture, isPgCapturing, onConnection, startPgCapture } from './pg-capture'
import { placeOf, readStoreChoice, writeStoreChoice } from './store-choice'

export interface SwitchoverDeps<P extends PostgresSide, S extends SqliteSide> {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
  dataDir: string
  migrationsFolder: string
  /** How long after a switchover the console may be switched back; 0: never. */
  switchBackMs: number
  openPostgres(target: Target): P
  /** Opens a store's file for this process alone. */
  openSqlite(file: string): S
  database(): P | S
  /** The process stands on this database from now on. */
  adopt(database: P | S): void
  target(run: Run): Promise<Target>
  /** Names of the other consoles that serve the store. */
  others(): Promise<string[]>
}

/**
 * Moves the running console to PostgreSQL: brings over what was written since the copy, holds writes for the
 * rest and a last check, keeps the choice, and goes on there. Until the choice is kept nothing has changed;
 * from then on the console is on PostgreSQL, also after a crash. Throws what hindered it.
 */
export async function switchOver<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
  request: { id: string; caller: Caller; grantId: string | null },
): Promise<SwitchoverReport> {
  const { store, clock } = deps
  const { id } = request
  const from = deps.database()
  refuseLocked(await getRun(deps, id), from)
  await store.run(beginMove, { ...request, move: 'switchover', now: clock.now() })
  let to: P | undefined
  try {
    const run = await getRun(deps, id)
    const target = await deps.target(run)
    to = deps.openPostgres(target)
    const switchover = await move(deps, { from: from as S, to, target, run })
    await finish(deps, id, switchover, request.caller)
    return switchover
  } catch (error) {
    // On PostgreSQL already: what is left is done at the next start.
    if (store.dialect === 'postgresql') throw error
    await to?.close().catch(() => {})
    const reason = error instanceof HoldfastError ? error.message : 'PostgreSQL could not be used.'
    await store.run(dropMove, { id, move: 'switchover', reason, now: clock.now() })
    await noteLine(deps, id, 'error', `The switchover did not happen: ${reason}`)
    throw error
  }
}

/** After a crash in the middle: finishes a switchover whose choice was kept, or gives it up. */
export async function recoverSwitchover<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
  run: Run,
): Promise<void> {
  const now = deps.clock.now()
  const choice = readStoreChoice(deps.dataDir, deps.vault)
  if (deps.store.dialect === 'sqlite' || !choice) {
    const reason = 'The console stopped in the middle of it. Nothing was moved.'
    await deps.store.run(dropMove, { id: run.id, move: 'switchover', reason, now })
    await noteLine(deps, run.id, 'warn', `The switchover did not happen: ${reason}`)
    return
  }
  const { since, retiredFile, target } = choice
  if (retiredReason(retiredFile) === null) retire(deps, new BetterSqlite3(retiredFile), target, since)
  const database = deps.database()
  const open = database.dialect === 'postgresql' && (await isPgCapturing(askOf(database.client)))
  const switchBackUntil = open ? since + deps.switchBackMs : null
  const figures = { pauseMilliseconds: 0, rowsBroughtOver: 0 }
  await finish(deps, run.id, { at: since, ...figures, retiredFile, switchBackUntil }, system)
}

async function move<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
  { from, to, target, run }: { from: SqliteSide; to: P; target: Target; run: Run },
): Promise<SwitchoverReport> {
  const { store, clock, vault, dataDir, switchBackMs } = deps
  const sides: Sides = { from: from.handle, log: sqliteLog(from), to: to.handle }
  const { client } = to
  if (switchBackMs > 0) await startPgCapture(client)
  let rowsBroughtOver = await catchUp(sides)
  const retiredFile = from.client.name
  const asked = clock.now()
  let since = asked
  await store.exclusively(async () => {
    const late = expiry(longestHold, 'PostgreSQL')
    const rest = async () => {
      rowsBroughtOver += await bringOver(sides, { held: true })
      await lastCheck(sides, rejectedByTable(run))
      // Both sides are the same now: only what comes later has to go back.
      if (switchBackMs > 0) await emptyPgCapture(askOf(client))
    }
    await Promise.race([rest(), late.passed])
    late.refuse()
    since = clock.now()
    writeStoreChoice(dataDir, vault, { target, since, retiredFile })
    deps.adopt(to)
    return to.handle
  })
  const pauseMilliseconds = clock.now() - asked
  // The next start makes up for it.
  await onConnection(client, guardPostgres).catch((error: unknown) => {
    deps.log.error({ error }, 'the audit log on PostgreSQL is not guarded yet')
  })
  await lateReads()
  await from.leave()
  retire(deps, from.client, target, since)
  const switchBackUntil = switchBackMs > 0 ? since + switchBackMs : null
  return { at: since, pauseMilliseconds, rowsBroughtOver, retiredFile, switchBackUntil }
}

/** The choice is kept already, so whatever fails here must not keep the console from going on. */
function retire(
  { log }: Pick<SwitchoverDeps<PostgresSide, SqliteSide>, 'log'>,
  client: BetterSqlite3.Database,
  target: Target,
  at: number,
): void {
  try {
    stopCapture(client)
    retireSqlite(client, { at, movedTo: placeOf(target) })
  } catch (error) {
    log.error({ error, file: client.name }, 'the old store could not be retired')
  }
}

async function finish<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
  id: string,
  switchover: SwitchoverReport,
  caller: Caller,
): Promise<void> {
  await deps.store.run(finishMove, {
    id,
    move: 'switchover',
    report: switchover,
    caller,
    now: deps.clock.now(),
  })
  const { pauseMilliseconds, rowsBroughtOver } = switchover
  const figures = `writes waited ${pauseMilliseconds} ms, ${rowsBroughtOver} rows were brought over`
  await noteLine(deps, id, 'info', `Switched over to PostgreSQL: ${figures}.`)
}

function refuseLocked(run: Run, from: SqliteSide | PostgresSide): void {
  const why =
    run.sourceKind !== 'store'
      ? 'Only a run of the console’s own store can be switched over.'
      : from.dialect !== 'sqlite'
        ? 'The console is on PostgreSQL already.'
        : !run.validation?.ok
          ? 'Switchover is locked: a check of the validation is red.'
          : !isCapturing(from.client)
            ? 'Writes since the copy were not noted, so they cannot be brought over.'
            : null
  if (why) {
    throw new HoldfastError('CONFLICT', {
      message: why,
      remedy: 'Start a new run of the console’s own store.',
    })
  }
}
