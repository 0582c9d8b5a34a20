import type { Env } from '@/server/env'
import { openOfflineConsole } from './console'
import { openStorePrinter } from './store-text'

/**
 * Moves the store of a console that is not running back to the SQLite file that it left, with every later change.
 * Answers the exit status. Throws what hinders it, such as another console that serves the store.
 */
export async function switchStoreBack(env: Env, { json }: { json: boolean }): Promise<number> {
  const printer = openStorePrinter({ json })
  const { migration, caller, dialect, grant, close } = await openOfflineConsole(env, () => {})
  try {
    await migration.start()
    const run = (await migration.listRuns()).find(({ state }) => state === 'switched_over')
    if (dialect === 'sqlite' || !run) {
      printer.say('The store was not switched over to PostgreSQL: there is nothing to switch back.')
      return 1
    }
    const { id } = run
    const { rowsBroughtOver } = await migration.switchBack({
      ...{ id, caller },
      grantId: await grant('migration.switchBack', id),
    })
    printer.say(
      `The store is in SQLite again, ${rowsBroughtOver} rows were brought back. Start the console without DB_TYPE=postgresql.`,
    )
    return 0
  } finally {
    await close()
  }
}
