import { existsSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import { guardSqlite } from '@/db/audit-guard'
import { migrateSqlite, StoreNewerError } from '@/db/migrate'
import type { PgConnection } from '@/db/open'
import { readRetirement, retireSqlite, unlockSqlite, unretireSqlite } from '@/db/retired'
import { type Caller, system } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { endsWithin } from '@/server/patience'
import { beginMove, dropMove, finishMove } from '../runs/move-units'
import { rejectedByTable } from '../runs/rejects'
import type { Run, SwitchBackReport } from '../runs/run'
import { noteLine } from '../runs/run-log'
import { getRun } from '../runs/runs'
import { bringOver, lastCheck, type Sides } from './bring-over'
import { stopCapture } from './capture'
import { catchUp, expiry, lateReads, longestHold } from './hold'
import { holdLeft, markLeft } from './left'
import type { PostgresSide, SqliteSide } from './own-store'
import { askOf, isPgCapturing, pgLog } from './pg-capture'
import {
  forgetLeftChoice,
  placeOf,
  readStoreChoice,
  type StoreChoice,
  takeBackStoreChoice,
} from './store-choice'
import type { SwitchoverDeps } from './switchover'

/** The store that is left answers its last COMMIT within this, or it is told later that it was left. */
const COMMIT_MS = 500

/**
 * Moves the running console back to the SQLite file that it left: brings over what was written on PostgreSQL since,
 * holds writes for the rest and a last check, takes the kept choice back, and goes on there. Until the choice is
 * taken back nothing has changed; from then on the console is on SQLite, also after a crash. Throws what hindered it.
 */
export async function switchBack<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
  request: { id: string; caller: Caller; grantId: string | null },
): Promise<SwitchBackReport> {
  const { store, clock } = deps
  const { id } = request
  await store.run(beginMove, { ...request, move: 'switchBack', now: clock.now() })
  let opened: { to: S; choice: StoreChoice } | undefined
  try {
    const from = deps.database()
    const run = await getRun(deps, id)
    const choice = await readyToGoBack(deps, run, from)
    opened = { choice, to: openFile(deps, choice) }
    const switchedBack = await moveBack(deps, { from: from as P, run, ...opened })
    await finish(deps, id, switchedBack, request.caller)
    return switchedBack
  } catch (error) {
    // On SQLite already: what is left is done at the next start.
    if (store.dialect === 'sqlite') throw error
    if (opened) await leaveAgain(deps, opened)
    const reason = error instanceof HoldfastError ? error.message : 'The SQLite file could not be used.'
    await store.run(dropMove, { id, move: 'switchBack', reason, now: clock.now() })
    await noteLine(deps, id, 'error', `The switch-back did not happen: ${reason}`)
    throw error
  }
}

/** After a crash in the middle: finishes a switch-back whose choice was taken back, or gives it up. */
export async function recoverSwitchBack<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
  run: Run,
): Promise<void> {
  const now = deps.clock.now()
  if (deps.store.dialect === 'sqlite') {
    await finish(deps, run.id, { at: now, pauseMilliseconds: 0, rowsBroughtOver: 0 }, system)
    return
  }
  const choice = readStoreChoice(deps.dataDir, deps.vault)
  // Another console's files are not here, and no business of this one.
  if (!choice || !existsSync(choice.retiredFile)) return
  unlockSqlite(choice.retiredFile)
  retireAgain(deps, new BetterSqlite3(choice.retiredFile), choice)
  const reason = 'The console stopped in the middle of it. Nothing was moved.'
  await deps.store.run(dropMove, { id: run.id, move: 'switchBack', reason, now })
  await noteLine(deps, run.id, 'warn', `The switch-back did not happen: ${reason}`)
}

async function moveBack<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
  { from, to, choice, run }: { from: P; to: S; choice: StoreChoice; run: Run },
): Promise<SwitchBackReport> {
  const { store, clock, log, dataDir } = deps
  const flush = () => to.alone((client) => void client.pragma('wal_checkpoint(PASSIVE)'))
  const sides: Sides = { from: from.handle, log: pgLog(askOf(from.client)), to: to.handle, flush }
  let rowsBroughtOver = await catchUp(sides)
  const asked = clock.now()
  let at = asked
  await store.exclusively(async () => {
    const late = expiry(longestHold, 'The SQLite file')
    const lone = await (from.client.direct?.() ?? from.client.connect())
    const ask = askOf(lone)
    let moved = false
    try {
      const rest = async () => {
        await holdLeft(ask)
        await refuseOthers(deps)
        const held = { from: from.handle, log: pgLog(ask), to: to.handle }
        rowsBroughtOver += await bringOver(held, { held: true })
        await lastCheck(held, rejectedByTable(run))
        await markLeft(ask, { at: clock.now(), movedTo: choice.retiredFile })
      }
      await Promise.race([rest(), late.passed])
      late.refuse()
      at = clock.now()
      await to.alone((client) => {
        guardSqlite(client)
        unretireSqlite(client)
      })
      takeBackStoreChoice(dataDir)
      moved = true
      deps.adopt(to)
      await commitLeft(deps, lone)
      return to.handle
    } finally {
      lone.release(!moved)
    }
  })
  const pauseMilliseconds = clock.now() - asked
  await lateReads()
  void from.close().catch((error: unknown) => log.warn({ error }, 'the pools to PostgreSQL did not close'))
  return { at, pauseMilliseconds, rowsBroughtOver }
}

/** The choice is taken back already, so whatever fails here must not keep the console from going on. */
async function commitLeft(
  { log, dataDir }: Pick<SwitchoverDeps<PostgresSide, SqliteSide>, 'log' | 'dataDir'>,
  lone: PgConnection,
): Promise<void> {
  try {
    if (await endsWithin(COMMIT_MS, askOf(lone)('COMMIT'))) forgetLeftChoice(dataDir)
  } catch (error) {
    log.warn({ error }, 'the store on PostgreSQL does not know yet that it was left')
  }
}

/** What keeps a console from moving back; otherwise the choice that is taken back. */
async function readyToGoBack<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
  run: Run,
  from: P | S,
): Promise<StoreChoice> {
  const refuse = (message: string, remedy: string) => new HoldfastError('CONFLICT', { message, remedy })
  if (from.dialect === 'sqlite')
    throw refuse('The console is on SQLite already.', 'Look at the database page: it names the store.')
  const switchover = run.report?.switchover
  const choice = readStoreChoice(deps.dataDir, deps.vault)
  if (!choice || choice.since !== switchover?.at) {
    throw refuse(
      'This console did not come to PostgreSQL by this run.',
      'Switch back on the console whose data folder holds store.json of that switchover.',
    )
  }
  const until = switchover.switchBackUntil ?? 0
  if (deps.clock.now() > until || !(await isPgCapturing(askOf(from.client)))) {
    throw refuse(
      'The time in which the console may be switched back is over.',
      'The SQLite file is as it was at the switchover; later changes are on PostgreSQL alone.',
    )
  }
  if (readRetirement(choice.retiredFile)?.at !== choice.since) {
    throw refuse(
      `${choice.retiredFile} is not the file that the console left at the switchover.`,
      'Put that file back where it was.',
    )
  }
  await refuseOthers(deps)
  return choice
}

async function refuseOthers({
  others,
}: Pick<SwitchoverDeps<PostgresSide, SqliteSide>, 'others'>): Promise<void> {
  const names = await others()
  if (names.length === 0) return
  throw new HoldfastError('CONFLICT', {
    message: `${names.length === 1 ? 'Another console serves' : `${names.length} more consoles serve`} this store: ${names.join(', ')}.`,
    remedy:
      'Stop them, since one console alone can serve a SQLite file. One that was killed counts for 15 s.',
    details: { consoles: names },
  })
}

/** The left file, writable and at this release's schema. Its mark stays until the console has moved. */
function openFile<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
  choice: StoreChoice,
): S {
  unlockSqlite(choice.retiredFile)
  try {
    const to = deps.openSqlite(choice.retiredFile)
    try {
      migrateSqlite(to.client, deps.migrationsFolder, { guarded: false })
      // A switchover that could not clear its traces away leaves them.
      stopCapture(to.client)
      return to
    } catch (error) {
      to.client.close()
      throw error instanceof StoreNewerError
        ? new HoldfastError('CONFLICT', {
            message: error.message,
            remedy: 'Put the file back as it was left.',
          })
        : error
    }
  } catch (error) {
    retireAgain(deps, new BetterSqlite3(choice.retiredFile), choice)
    throw error
  }
}

async function leaveAgain<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
  { to, choice }: { to: S; choice: StoreChoice },
): Promise<void> {
  await to.leave()
  retireAgain(deps, to.client, choice)
}

function retireAgain(
  { log }: Pick<SwitchoverDeps<PostgresSide, SqliteSide>, 'log'>,
  client: BetterSqlite3.Database,
  { since, target }: StoreChoice,
): void {
  try {
    retireSqlite(client, { at: since, movedTo: placeOf(target) })
  } catch (error) {
    log.error({ error, file: client.name }, 'the old store could not be retired again')
  }
}

async function finish<P extends PostgresSide, S extends SqliteSide>(
  deps: SwitchoverDeps<P, S>,
  id: string,
  switchBack: SwitchBackReport,
  caller: Caller,
): Promise<void> {
  await deps.store.run(finishMove, {
    id,
    move: 'switchBack',
    report: switchBack,
    caller,
    now: deps.clock.now(),
  })
  const { pauseMilliseconds, rowsBroughtOver } = switchBack
  const figures = `writes waited ${pauseMilliseconds} ms, ${rowsBroughtOver} rows were brought back`
  await noteLine(deps, id, 'info', `Switched back to SQLite: ${figures}.`)
}
