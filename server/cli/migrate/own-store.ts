import { existsSync } from 'node:fs'
import type { Env } from '@/server/env'
import { moveStore, type Run } from '@/server/migration'
import { storeFile, storeMove } from '@/server/open-store'
import { openOfflineConsole } from './console'
import { openStorePrinter } from './store-text'

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
  let wake = () => {}
  const { migration, caller, grant, close } = await openOfflineConsole(
    { ...env, DB_TYPE: 'sqlite' },
    ({ news }) => {
      printer.tick(news)
      wake()
    },
  )
  let stopped = false
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
      ...{ caller, grant },
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
