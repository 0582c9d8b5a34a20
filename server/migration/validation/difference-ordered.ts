import type Database from 'better-sqlite3'
import type pg from 'pg'
import { qualified } from '../target/ddl'
import { type Bounds, orderBy, type Scan } from '../transfer/ranges'
import type { PlannedColumn, RowDifference } from '../types'
import { type CanonicalRow, castJson } from './canonical'
import { keyText, rowDifference } from './difference'
import { canonicalSource, canonicalTarget } from './forms'
import { type DigestTask, storedRows, targetRange } from './order'

/** Fetches a chunk that differs from both sides, in the order of its integer key, and shows the first row that does. */
export async function differenceInOrder(
  db: Database.Database,
  client: pg.Client,
  task: DigestTask,
  scan: Scan,
  range: Bounds,
): Promise<RowDifference | undefined> {
  const { table, schema } = task
  const keys = scan.columns.map(
    (source) => table.columns.find((column) => column.source === source) as PlannedColumn,
  )
  const all = [...keys, ...table.columns]
  const { from, values } = storedRows(task, scan, range)
  const sourceSql = `SELECT ${all.map((column) => `CAST(${canonicalSource(column)} AS TEXT)`).join(', ')} FROM ${from} ORDER BY ${orderBy(scan)}`
  const source = db
    .prepare(sourceSql)
    .raw()
    .all(...values) as CanonicalRow[]
  await castJson(client, table, source, keys.length)
  // One row more than the source has is enough, however many the target has beyond.
  const theirs = targetRange(table, scan, range)
  // Ordered inside: outside, a column's name would mean its canonical text.
  const rows = `(SELECT * FROM ${qualified(schema, table.target)} ${theirs.where} ORDER BY ${theirs.order} LIMIT ${source.length + 1})`
  const targetSql = `SELECT ${all.map(canonicalTarget).join(', ')} FROM ${rows} AS chunk`
  const answer = await client.query({ text: targetSql, rowMode: 'array' })
  const target = answer.rows as unknown as CanonicalRow[]
  const show = (ours: CanonicalRow | null, other: CanonicalRow | null) =>
    rowDifference(
      table,
      keyText(keys, (ours ?? other ?? []).slice(0, keys.length)),
      ours?.slice(keys.length) ?? null,
      other?.slice(keys.length) ?? null,
    )
  for (let i = 0; i < Math.max(source.length, target.length); i++) {
    const [ours, other] = [source[i] ?? null, target[i] ?? null]
    const order = ours && other ? compareKeys(ours, other, keys.length) : ours ? -1 : 1
    if (order < 0) return show(ours, null)
    if (order > 0) return show(null, other)
    if (ours?.some((value, n) => value !== other?.[n])) return show(ours, other)
  }
  return undefined
}

function compareKeys(a: CanonicalRow, b: CanonicalRow, columns: number): number {
  for (let i = 0; i < columns; i++) {
    const [x, y] = [BigInt(a[i] ?? 0), BigInt(b[i] ?? 0)]
    if (x !== y) return x < y ? -1 : 1
  }
  return 0
}
