import type { SqliteDriver } from '@/db/sqlite/driver'
import { marked } from './mark'
import type { Maintained, Maintenance } from './types'

/** Rows of an index that ANALYZE looks at: enough for a plan, and writers wait for no more than that. */
const LOOKED_AT = 1_000

/** Renews statistics or folds the WAL into the file, in the writing thread and in its turn. */
export async function maintainSqlite(driver: SqliteDriver, what: Maintenance): Promise<Maintained> {
  const start = performance.now()
  const message = await WORK[what]((sql) => ask(driver, sql))
  return { message, milliseconds: performance.now() - start }
}

type Ask = (sql: string) => Promise<Record<string, unknown>[]>

async function ask(driver: SqliteDriver, sql: string): Promise<Record<string, unknown>[]> {
  return (await driver.write(marked(sql), [], 'objects')).rows as Record<string, unknown>[]
}

const WORK: Record<Maintenance, (ask: Ask) => Promise<string>> = {
  async analyze(ask) {
    await ask(`PRAGMA analysis_limit = ${LOOKED_AT}`)
    await ask('ANALYZE')
    const [row] = await ask('SELECT count(DISTINCT tbl) AS tables FROM sqlite_stat1')
    return `Renewed the statistics of ${tables(Number(row?.tables))}.`
  },

  /** The first one tells how many pages there are, as TRUNCATE answers 0 for a WAL that it emptied. */
  async checkpoint(ask) {
    const [moved] = await ask('PRAGMA wal_checkpoint(PASSIVE)')
    const [emptied] = await ask('PRAGMA wal_checkpoint(TRUNCATE)')
    const pages = Math.max(0, Number(moved?.checkpointed ?? 0))
    const done = `Moved ${pages} ${pages === 1 ? 'page' : 'pages'} of the WAL into the file`
    return Number(emptied?.busy) === 0
      ? `${done}, and emptied the WAL.`
      : `${done}; a reader holds on to the rest, so the WAL was not emptied.`
  },

  /** -1 tells what it would do without doing it (SQLite manual, PRAGMA optimize). */
  async optimize(ask) {
    const wanted = (await ask('PRAGMA optimize(-1)')).filter((row) =>
      /^ANALYZE/i.test(String(Object.values(row)[0])),
    )
    await ask('PRAGMA optimize')
    return wanted.length === 0
      ? 'There was nothing to do: the statistics are as SQLite wants them.'
      : `Renewed the statistics of ${tables(wanted.length)}.`
  },
}

const tables = (count: number): string => `${count} ${count === 1 ? 'table' : 'tables'}`
