import type Database from 'better-sqlite3'
import type pg from 'pg'
import { quoteIdentifier } from '../plan/names'
import { qualified } from '../target/ddl'
import { type Bounds, type Key, nextKey, type Scan } from '../transfer/ranges'
import { keepRejected } from '../transfer/rejected'
import type { PlannedColumn, RowDifference } from '../types'
import { canonicalJson, EMPTY, md5, NULL_MARK } from './canonical'
import { type ChunkDigest, readChunk, sourceChunk, type Tally, targetChunk } from './chunk'
import { differenceInOrder } from './difference-ordered'
import { canonicalSource, canonicalTarget } from './forms'
import { type DigestTask, orderedScan, sourceRows, targetRange } from './order'
import { CANONICAL, type Form, QUICK } from './quick'

/** Bytes of a chunk. From some 2 MB on PostgreSQL gets memory for it anew from the system each time, at twice the cost (measured). */
const CHUNK_BYTES = 512 * 1024

/** Both sides of a range, chunk by chunk in the order of the key. */
export interface Digest {
  sourceRows: number
  targetRows: number
  /** In the plan's order. `differs`: in a chunk whose rows differ, this column's values do. */
  columns: { source: Tally; target: Tally; differs: boolean }[]
  /** SHA-256 of each chunk's rows, in the form that both sides took for it. */
  rows: { source: string[]; target: string[] }
  difference?: RowDifference
}

/**
 * Compares the rows of a range chunk by chunk, PostgreSQL and SQLite at work on the same one at the same time: counts
 * and sums by column, and one hash over all rows. Where that differs, the columns are hashed one by one.
 */
export async function digestOrdered(
  db: Database.Database,
  client: pg.Client,
  task: DigestTask,
  onRows: (rows: number) => void,
  stopped: () => boolean,
): Promise<Digest> {
  const { table, bounds } = task
  const scan = orderedScan(table) as Scan
  keepRejected(db, table, task.rejected)
  const step = Math.min(
    50_000,
    Math.max(1, Math.floor(CHUNK_BYTES / (table.bytes / Math.max(1, table.rows) + 16))),
  )
  const digest: Digest = {
    sourceRows: 0,
    targetRows: 0,
    columns: table.columns.map(() => ({ source: blank(), target: blank(), differs: false })),
    rows: { source: [], target: [] },
  }
  let form: Form = QUICK
  for (let lo: Key | null = bounds.lo, last = false; !last && !stopped(); ) {
    const position: Key | null = nextKey(db, table, scan, { lo, hi: bounds.hi }, step)
    last = position === null
    const range: Bounds = { lo, hi: position ?? bounds.hi }
    let both = await compareChunk(db, client, task, scan, range, form)
    if (!equal(both) && form.quick) {
      both = await compareChunk(db, client, task, scan, range, CANONICAL)
      // What differs in form once does so again.
      if (equal(both)) form = CANONICAL
    }
    const { source, target } = both as Both
    const json = await compareJson(db, client, task, scan, range)
    digest.sourceRows += source.rows
    digest.targetRows += target.rows
    digest.rows.source.push(source.hash)
    digest.rows.target.push(target.hash)
    digest.columns.forEach((column, i) => {
      addTally(column.source, source.columns[i] as Tally)
      addTally(column.target, target.columns[i] as Tally)
      column.differs ||= json.has(i)
    })
    if (!equal(both) || json.size > 0) {
      for (const i of await differingColumns(db, client, task, scan, range)) {
        const column = digest.columns[i]
        if (column) column.differs = true
      }
      digest.difference ??= await differenceInOrder(db, client, task, scan, range)
    }
    onRows(source.rows)
    lo = position
  }
  return digest
}

interface Both {
  source: ChunkDigest
  target: ChunkDigest
}

/** Both engines at work on one chunk at the same time; null when the quick form can't be had of it. */
async function compareChunk(
  db: Database.Database,
  client: pg.Client,
  task: DigestTask,
  scan: Scan,
  range: Bounds,
  form: Form,
): Promise<Both | null> {
  const asked = client.query({ text: targetChunk(task, range, form), rowMode: 'array' })
  asked.catch(() => {})
  try {
    const source = sourceChunk(db, task, scan, range, form)
    return { source, target: readChunk(task.table, (await asked).rows[0] as unknown as (string | null)[]) }
  } catch (error) {
    await asked.catch(() => {})
    if (form.quick && /integer overflow/.test((error as Error).message)) return null
    throw error
  }
}

const equal = (both: Both | null): boolean =>
  both !== null &&
  both.source.hash === both.target.hash &&
  both.source.rows === both.target.rows &&
  both.source.columns.every(
    ({ count, sum }, i) => count === both.target.columns[i]?.count && sum === both.target.columns[i]?.sum,
  )

const blank = (): Tally => ({ count: 0, sum: null })

function addTally(total: Tally, more: Tally): void {
  total.count += more.count
  if (more.sum !== null) total.sum = (BigInt(total.sum ?? 0) + BigInt(more.sum)).toString()
}

/** The jsonb columns of a chunk that differ, by index. */
async function compareJson(
  db: Database.Database,
  client: pg.Client,
  task: DigestTask,
  scan: Scan,
  range: Bounds,
): Promise<Set<number>> {
  const differing = new Set<number>()
  for (const [i, column] of task.table.columns.entries()) {
    if (column.render !== 'jsonb') continue
    const [source, target] = await columnHashes(db, client, task, scan, range, column)
    if (source !== target) differing.add(i)
  }
  return differing
}

async function differingColumns(
  db: Database.Database,
  client: pg.Client,
  task: DigestTask,
  scan: Scan,
  range: Bounds,
): Promise<number[]> {
  const found: number[] = []
  for (const [i, column] of task.table.columns.entries()) {
    const [source, target] = await columnHashes(db, client, task, scan, range, column)
    if (source !== target) found.push(i)
  }
  return found
}

async function columnHashes(
  db: Database.Database,
  client: pg.Client,
  task: DigestTask,
  scan: Scan,
  range: Bounds,
  column: PlannedColumn,
): Promise<[source: string, target: string]> {
  const { from, values } = sourceRows(task, scan, range)
  const canonical = column.render === 'jsonb' ? quoteIdentifier(column.source) : canonicalSource(column)
  const rows = db
    .prepare(`SELECT CAST(${canonical} AS TEXT) FROM ${from}`)
    .pluck()
    .all(...values) as (string | null)[]
  const texts = column.render === 'jsonb' ? await canonicalJson(client, rows) : rows
  const { where, order, names } = targetRange(task.table, scan, range)
  const picked = [...new Set([quoteIdentifier(column.target), ...names])].join(', ')
  const { rows: answer } = await client.query<{ hash: string | null }>(
    `SELECT md5(string_agg(coalesce(${canonicalTarget(column)}, E'\\x01'), E'\\n')) AS hash FROM (SELECT ${picked} FROM ${qualified(task.schema, task.table.target)} ${where} ORDER BY ${order}) AS chunk`,
  )
  return [
    texts.length === 0 ? EMPTY : md5(texts.map((text) => text ?? NULL_MARK).join('\n')),
    answer[0]?.hash ?? EMPTY,
  ]
}
