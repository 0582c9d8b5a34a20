import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { system } from '@/server/audit'
import { systemClock } from '@/server/clock'
import type { Env } from '@/server/env'
import { inputHash, makeGrant } from '@/server/grants'
import { openLog } from '@/server/log'
import { type MigrationNews, moveStore, type Run } from '@/server/migration'
import { openConsoleMigration } from '@/server/open-migration'
import { openStore, storeFile, storeMove } from '@/server/open-store'
import { version } from '@/server/system/about'
import { openInstances } from '@/server/system/instances'
import { openStorePrinter } from './store-text'

const by = { ...system, actor: 'command line', sessionId: 'command line' }

/**
 * Moves the SQLite store of a console that is not running to the PostgreSQL of the DB_ variables, and keeps the choice,
 * so that the console starts there. Answers the exit status. Throws AlreadyServedError while the console runs.
 */
export async function moveOwnStore(env: Env, { json }: { json: boolean }): Promise<number> {
  const printer = openStorePrinter({ json })
  const moved = storeMove(env)
  if (moved) {
    printer.say(
      `The store has been at ${moved.place} since ${new Date(moved.since).toISOString()}: nothing is left to do.`,
    )
    return 0
  }
  if (!existsSync(storeFile(env))) {
    printer.say(
      `There is no SQLite store in ${env.HOLDFAST_DATA_DIR}: the console makes its store on PostgreSQL when it starts. To move another file, name it with --source.`,
    )
    return 1
  }
  const log = openLog(env.LOG_LEVEL)
  const clock = systemClock
  const opened = await openStore({ ...env, DB_TYPE: 'sqlite' }, log, {
    serving: true,
    topologyChanged: () => {},
  })
  const { store, vault, lock } = opened
  let { database } = opened
  let wake = () => {}
  const migration = openConsoleMigration(env, {
    ...{ store, vault, clock, log, topologyChanged: () => {} },
    publish({ news }: MigrationNews) {
      printer.tick(news)
      wake()
    },
    database: () => database,
    adopt(next) {
      database = next
    },
    // This command has it from the start.
    takeFolder() {},
    others: () => openInstances({ store, clock, log, id: randomUUID(), version }).others(),
  })
  let stopped = false
  const close = async () => {
    await migration.close()
    await database.close()
    lock?.release()
  }
  const stop = () => {
    stopped = true
    void close().finally(() => {
      printer.say('Stopped; what was committed is kept. The same command goes on.')
      process.exit(130)
    })
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    await migration.start()
    const run = await moveStore({
      migration,
      caller: by,
      async grant(action, id) {
        const facts = {
          sessionId: by.sessionId,
          action,
          inputHash: inputHash({ id }),
          method: 'machine' as const,
        }
        return (await store.run(makeGrant, { ...facts, by, now: clock.now() })).grantId
      },
      news: () =>
        Promise.race([
          new Promise<void>((resolve) => {
            wake = resolve
          }),
          soon(),
        ]),
      tell: printer.run,
    })
    printer.end(run)
    return statusOf(run)
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    if (!stopped) await close()
  }
}

function statusOf({ state, checks, validation }: Run): number {
  if (state === 'switched_over') return 0
  if (state === 'planned' && checks.some((check) => check.state === 'red')) return 3
  return validation && !validation.ok ? 4 : 1
}

/** News can come between a look and the wait for the next. */
const soon = () => new Promise<void>((resolve) => setTimeout(resolve, 500).unref())
