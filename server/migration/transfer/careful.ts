import type Database from 'better-sqlite3'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { quoteIdentifier } from '../plan/names'
import type { PlannedTable } from '../types'
import type { Batch, CopyDependencies, CopyTask } from './copy'
import { andStorable, findMisfits } from './misfits'
import { type Bounds, encodeKey, type Key, keyAt, nextKey, orderBy, scanOf, within } from './ranges'
import { isRefusal, lineOf, type Reject, refusalOf, showKey, showValue } from './refusals'
import { copyStatement, isTextual, lineExpression } from './render'

/** Bytes of COPY text in one batch, and in what is tried at once. */
const BATCH_BYTES = 8 * 1024 * 1024
const TRIED_BYTES = 256 * 1024
const TRIED_ROWS = 5_000
/** So many rejected rows end a batch, so that they are seen soon and are not lost with it. */
const BATCH_REJECTS = 100

/**
 * Loads a batch of which some row was refused. Texts that no database can store are looked for beforehand. The rest is
 * sent piece by piece under savepoints; of a piece that the server refuses, the row that it names is tried alone, or the
 * piece is halved. Single rows that are refused are rejected: some eight statements each. Null: told to stop at once.
 */
export async function copyCarefully(
  deps: CopyDependencies,
  task: CopyTask,
  bounds: Bounds,
): Promise<Batch | null> {
  const { db } = deps
  const { table } = task
  const scan = scanOf(table)
  const mean = table.bytes / Math.max(1, table.rows) + 4 * table.columns.length
  const step = Math.max(1, Math.min(TRIED_ROWS, Math.floor(TRIED_BYTES / mean)))
  const most = Math.min(BATCH_REJECTS, task.most)
  const batch: Batch = { position: bounds.lo, rows: 0, bytes: 0, done: false, rejects: [] }
  while (!batch.done && batch.bytes < BATCH_BYTES && batch.rejects.length <= most && deps.signal() === 0) {
    const position = nextKey(db, table, scan, { lo: batch.position, hi: bounds.hi }, step)
    const piece = { lo: batch.position, hi: position ?? bounds.hi }
    const reached = await loadPiece(deps, task, piece, batch, most)
    if (!reached) return null
    batch.rejects.push(...findMisfits(db, table, reached, 'texts', Number.MAX_SAFE_INTEGER))
    batch.position = reached.hi === piece.hi ? position : reached.hi
    batch.done = batch.position === null
  }
  return deps.signal() === 2 ? null : batch
}

/** Loads a piece but its refused rows, as far as there are not too many. Answers how far; null: told to stop at once. */
async function loadPiece(
  deps: CopyDependencies,
  task: CopyTask,
  piece: Bounds,
  batch: Batch,
  most: number,
): Promise<Bounds | null> {
  const { db } = deps
  const left: Bounds[] = [piece]
  for (let range = left.pop(); range; range = left.pop()) {
    if (deps.signal() === 2) return null
    const tried = await tryRange(deps, task, range)
    if (!('refusal' in tried)) {
      batch.rows += tried.rows
      batch.bytes += tried.bytes
      continue
    }
    const rows = countRows(db, task.table, range)
    if (rows === 1) {
      batch.rejects.push(describe(db, task.table, range, tried.refusal))
      if (batch.rejects.length > most) return { lo: piece.lo, hi: range.hi }
    } else left.push(...cut(db, task.table, range, rows, lineOf(tried.refusal)).reverse())
  }
  return piece
}

/** A refused range as smaller ones in order: up to the row that the server named, that row, and the rest; or halves. */
function cut(
  db: Database.Database,
  table: PlannedTable,
  range: Bounds,
  rows: number,
  line: number | null,
): Bounds[] {
  const scan = scanOf(table)
  const at = (n: number) => keyAt(db, scan, range, n, (condition) => andStorable(condition, table, 'texts'))
  const refused = line === null || line > rows ? null : at(line)
  const edges = refused
    ? [line === 1 ? null : at((line as number) - 1), line === rows ? null : refused]
    : [at(Math.ceil(rows / 2))]
  const keys = [range.lo, ...edges.filter((key) => key !== null), range.hi]
  return keys.slice(1).map((hi, i) => ({ lo: keys[i] ?? null, hi }))
}

type Tried = { rows: number; bytes: number } | { refusal: unknown }

async function tryRange(deps: CopyDependencies, task: CopyTask, range: Bounds): Promise<Tried> {
  const { client } = deps
  let rendered: { data: Buffer; rows: number } | null
  try {
    rendered = render(deps, task.table, range)
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { refusal: error }
  }
  if (!rendered) return { rows: 0, bytes: 0 }
  await client.query('SAVEPOINT tried')
  try {
    await send(client, copyStatement(task.table, task.schema), rendered.data)
  } catch (error) {
    if (!isRefusal(error)) throw error
    await client.query('ROLLBACK TO SAVEPOINT tried')
    return { refusal: error }
  }
  await client.query('RELEASE SAVEPOINT tried')
  return { rows: rendered.rows, bytes: rendered.data.length }
}

function send(client: pg.Client, statement: string, data: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = client.query(copyFrom(statement))
    stream.on('finish', resolve)
    stream.on('error', reject)
    stream.end(data)
  })
}

/** The storable rows of a range in the order of the key as COPY text, every text escaped; null without any. */
function render(
  { db, utf16 }: CopyDependencies,
  table: PlannedTable,
  range: Bounds,
): { data: Buffer; rows: number } | null {
  const scan = scanOf(table)
  const { condition, values } = within(scan, range)
  const textual = table.columns.filter(isTextual).map(({ source }) => source)
  const joined = `group_concat(${lineExpression(table, new Set(textual))}, char(10)) || char(10)`
  const sql = `SELECT ${utf16 ? joined : `CAST(${joined} AS BLOB)`}, count(*)
    FROM (SELECT * FROM ${quoteIdentifier(table.source)} WHERE ${andStorable(condition, table, 'texts')} ORDER BY ${orderBy(scan)})`
  const [data, rows] = db
    .prepare(sql)
    .raw()
    .get(...values) as [Buffer | string | null, number]
  if (data === null) return null
  return { data: typeof data === 'string' ? Buffer.from(data) : data, rows }
}

/** Storable rows of a range. */
function countRows(db: Database.Database, table: PlannedTable, range: Bounds): number {
  const { condition, values } = within(scanOf(table), range)
  const sql = `SELECT count(*) FROM ${quoteIdentifier(table.source)} WHERE ${andStorable(condition, table, 'texts')}`
  return db
    .prepare(sql)
    .pluck()
    .get(...values) as number
}

/** The one storable row of a range, and why it was refused. */
function describe(db: Database.Database, table: PlannedTable, range: Bounds, refusal: unknown): Reject {
  const scan = scanOf(table)
  const { condition, values } = within(scan, range)
  const from = `FROM ${quoteIdentifier(table.source)} WHERE ${andStorable(condition, table, 'texts')}`
  const read = (columns: string[]) =>
    db
      .prepare(`SELECT ${columns.join(', ')} ${from}`)
      .raw()
      .safeIntegers()
      .get(...values) as unknown[]
  const key = read(scan.columns.map(quoteIdentifier)) as Key
  const { column, reason } = refusalOf(table, refusal)
  const name = column === null ? 'NULL' : quoteIdentifier(column)
  const [value] = read([
    `CASE WHEN octet_length(${name}) > 1000 THEN substr(${name}, 1, 250) ELSE ${name} END`,
  ])
  return {
    position: encodeKey(key) as string,
    key: showKey(scan, key),
    column,
    value: showValue(value),
    reason,
  }
}
