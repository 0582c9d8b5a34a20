import BetterSqlite3 from 'better-sqlite3'
import { retiredReason, retireSqlite } from '@/db/retired'
import type { Store } from '@/db/store'
import { type Caller, system } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import type { Vault } from '@/server/vault'
import { noteLine } from '../runs/run-log'
import { beginSwitchover, dropSwitchover, finishSwitchover } from '../runs/run-units'
import { getRun, type Run, type SwitchoverReport } from '../runs/runs'
import type { Target } from '../types'
import { bringOver, lastCheck, type Sides } from './bring-over'
import { countChanges, isCapturing, stopCapture } from './capture'
import type { PostgresSide, SqliteSide } from './own-store'
import { placeOf, readStoreChoice, writeStoreChoice } from './store-choice'

export interface SwitchoverDeps<P extends PostgresSide> {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
  dataDir: string
  openPostgres(target: Target): P
  database(): SqliteSide | PostgresSide
  /** The process stands on this database from now on. */
  adopt(database: P): void
  target(run: Run): Promise<Target>
}

/** With fewer changes than this left, holding writes takes a moment. */
const FEW = 100
const MOST_ROUNDS = 50
/** Held writes wait no longer: then the switchover is given up and nothing has changed. */
const LONGEST_HOLD_MS = 10_000

/**
 * Moves the running console to PostgreSQL: brings over what was written since the copy, holds writes for the
 * rest and a last check, keeps the choice, and goes on there. Until the choice is kept nothing has changed;
 * from then on the console is on PostgreSQL, also after a crash. Throws what hindered it.
 */
export async function switchOver<P extends PostgresSide>(
  deps: SwitchoverDeps<P>,
  request: { id: string; caller: Caller; grantId: string | null },
): Promise<SwitchoverReport> {
  const { store, clock } = deps
  const { id } = request
  const from = deps.database()
  refuseLocked(await getRun(deps, id), from)
  await store.run(beginSwitchover, { ...request, now: clock.now() })
  let to: P | undefined
  try {
    const target = await deps.target(await getRun(deps, id))
    to = deps.openPostgres(target)
    const switchover = await move(deps, { from: from as SqliteSide, to, target })
    await finish(deps, id, switchover, request.caller)
    return switchover
  } catch (error) {
    // On PostgreSQL already: what is left is done at the next start.
    if (store.dialect === 'postgresql') throw error
    await to?.close().catch(() => {})
    const reason = error instanceof HoldfastError ? error.message : 'PostgreSQL could not be used.'
    await store.run(dropSwitchover, { id, reason, now: clock.now() })
    await noteLine(deps, id, 'error', `The switchover did not happen: ${reason}`)
    throw error
  }
}

/** After a crash in the middle: finishes a switchover whose choice was kept, or gives it up. */
export async function recoverSwitchover<P extends PostgresSide>(
  deps: SwitchoverDeps<P>,
  run: Run,
): Promise<void> {
  const now = deps.clock.now()
  const choice = readStoreChoice(deps.dataDir, deps.vault)
  if (deps.store.dialect === 'sqlite' || !choice) {
    const reason = 'The console stopped in the middle of it. Nothing was moved.'
    await deps.store.run(dropSwitchover, { id: run.id, reason, now })
    await noteLine(deps, run.id, 'warn', `The switchover did not happen: ${reason}`)
    return
  }
  const { since, retiredFile, target } = choice
  if (retiredReason(retiredFile) === null) retire(deps, new BetterSqlite3(retiredFile), target, since)
  await finish(deps, run.id, { at: since, pauseMilliseconds: 0, rowsBroughtOver: 0, retiredFile }, system)
}

async function move<P extends PostgresSide>(
  deps: SwitchoverDeps<P>,
  { from, to, target }: { from: SqliteSide; to: P; target: Target },
): Promise<SwitchoverReport> {
  const { store, clock, vault, dataDir } = deps
  const { client, alone } = from
  const sides: Sides = { from: from.handle, client, alone, to: to.handle }
  let rowsBroughtOver = 0
  for (let round = 0; round < MOST_ROUNDS && countChanges(from.client) > FEW; round++) {
    rowsBroughtOver += await bringOver(sides, { held: false })
  }
  const retiredFile = from.client.name
  const asked = clock.now()
  let since = asked
  await store.exclusively(async () => {
    const late = expiry(LONGEST_HOLD_MS)
    const rest = async () => {
      rowsBroughtOver += await bringOver(sides, { held: true })
      await lastCheck(sides)
    }
    await Promise.race([rest(), late.passed])
    late.refuse()
    since = clock.now()
    writeStoreChoice(dataDir, vault, { target, since, retiredFile })
    deps.adopt(to)
    await from.leave()
    retire(deps, from.client, target, since)
    return to.handle
  })
  return { at: since, pauseMilliseconds: clock.now() - asked, rowsBroughtOver, retiredFile }
}

/** The choice is kept already, so whatever fails here must not keep the console from going on. */
function retire(
  { log }: Pick<SwitchoverDeps<PostgresSide>, 'log'>,
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

async function finish<P extends PostgresSide>(
  deps: SwitchoverDeps<P>,
  id: string,
  switchover: SwitchoverReport,
  caller: Caller,
): Promise<void> {
  await deps.store.run(finishSwitchover, { id, switchover, caller, now: deps.clock.now() })
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

function expiry(milliseconds: number) {
  let gone = false
  const error = () =>
    new HoldfastError('TARGET_UNREACHABLE', {
      message: `PostgreSQL did not take the last changes within ${milliseconds / 1000} s.`,
      remedy: 'Nothing was moved. Look at the load and the locks of the server, then try again.',
    })
  const passed = new Promise<never>((_, reject) => {
    setTimeout(() => {
      gone = true
      reject(error())
    }, milliseconds).unref()
  })
  passed.catch(() => {})
  return {
    passed,
    refuse() {
      if (gone) throw error()
    },
  }
}
