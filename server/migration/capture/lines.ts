import { once } from 'node:events'
import type Database from 'better-sqlite3'
import type pg from 'pg'
import { loadedPart } from '../plan/generated'
import { quoteIdentifier as q } from '../plan/names'
import { openCopy } from '../transfer/copy'
import { andStorable } from '../transfer/misfits'
import { copyStatement, isTextual, lineExpression } from '../transfer/render'
import type { PlannedTable } from '../types'
import { keysTable } from './install'
import { broughtOver } from './rejected'
import type { Watched } from './watched'

/** Bytes that are sent at once. */
const PIECE_BYTES = 256 * 1024

interface Sides {
  /** In the round's snapshot. */
  db: Database.Database
  client: pg.Client
}

/** Loads the rows that can be stored and are there now, of the noted keys or of the whole table, into `into`; rendered as the load does. */
export async function copyRows(sides: Sides, runId: string, watched: Watched, into: string, whole: boolean) {
  const table = loadedPart(watched.table)
  const where = andStorable(broughtOver(runId, watched, whole), table, 'texts')
  const rows = `SELECT ${line(table)} FROM ${q(table.source)} WHERE ${where}`
  await send(sides, table, into, rows)
}

/** Loads the noted keys into `into`, in the form that they have in the target. */
export async function copyKeys(sides: Sides, runId: string, { table, key, number }: Watched, into: string) {
  const columns = (key ?? []).map((column, i) => ({ ...column, source: `k${i}` }))
  const keys = { ...table, columns }
  await send(sides, keys, into, `SELECT DISTINCT ${line(keys)} FROM ${q(keysTable(runId, number))}`)
}

const line = (table: PlannedTable) =>
  `CAST(${lineExpression(table, new Set(table.columns.filter(isTextual).map((column) => column.source)))} || char(10) AS BLOB)`

async function send({ db, client }: Sides, table: PlannedTable, into: string, sql: string): Promise<void> {
  const utf16 = db.pragma('encoding', { simple: true }) !== 'UTF-8'
  const { stream, finished, abort } = openCopy(client, copyStatement({ ...table, target: into }, 'pg_temp'))
  try {
    let piece: Buffer[] = []
    let bytes = 0
    const flush = async () => {
      if (bytes > 0 && !stream.write(Buffer.concat(piece)))
        await Promise.race([once(stream, 'drain'), finished])
      piece = []
      bytes = 0
    }
    for (const data of db.prepare(sql).pluck().iterate() as Iterable<Buffer>) {
      // A blob of a text in UTF-16 is UTF-16.
      const text = utf16 ? Buffer.from(data.toString('utf16le')) : data
      piece.push(text)
      bytes += text.length
      if (bytes >= PIECE_BYTES) await flush()
    }
    await flush()
    stream.end()
    await finished
  } catch (error) {
    await abort(error as Error)
    throw error
  }
}
