import type Database from 'better-sqlite3'
import type pg from 'pg'
import { quoteIdentifier } from '../plan/names'
import { qualified } from '../target/ddl'
import { EVERYTHING, scanOf } from '../transfer/ranges'
import type { PlannedColumn, PlannedTable, RowDifference } from '../types'
import { type CanonicalRow, castJson, md5, wholeRow } from './canonical'
import { keyText, rowDifference } from './difference'
import { canonicalSource, canonicalTarget } from './forms'
import type { DigestTask } from './order'
import { canonicalRows, canonicalTargetRows } from './sets'

/** Hashes of the target that are held at a time while the row is looked for. */
const MOST_HASHES = 200_000

/**
 * The first row of the source, in the order of its scan, that the target doesn't have as often; without one, a row
 * that the source doesn't have. Both sides count their rows by the first four digits of their MD5, and only the
 * groups that differ are looked at row by row: two more passes over each side, whatever the table's size.
 */
export async function differenceOfSets(
  db: Database.Database,
  client: pg.Client,
  task: DigestTask,
  stopped: () => boolean,
): Promise<RowDifference | undefined> {
  const { table, schema } = task
  const everything = { ...task, bounds: EVERYTHING }
  const groups = await differingGroups(db, client, everything, stopped)
  if (groups.length === 0) return undefined
  const differing = new Set(groups)
  const left = await hashesOf(client, table, schema, groups)
  for await (const chunk of canonicalRows(db, client, everything)) {
    if (stopped()) return undefined
    for (const row of chunk) {
      const hash = md5(wholeRow(row))
      if (!differing.has(hash.slice(0, 4))) continue
      const count = left.get(hash) ?? 0
      if (count === 0) return showSource(client, table, schema, row)
      left.set(hash, count - 1)
    }
  }
  const extra = [...left].find(([, count]) => count > 0)?.[0]
  return extra === undefined ? undefined : showTarget(db, client, table, schema, extra)
}

/** Groups whose rows are not the same, as many as fit the memory. */
async function differingGroups(
  db: Database.Database,
  client: pg.Client,
  task: DigestTask,
  stopped: () => boolean,
): Promise<string[]> {
  const { table, schema } = task
  const ours = new Map<string, { count: number; sum: number }>()
  for await (const chunk of canonicalRows(db, client, task)) {
    if (stopped()) return []
    for (const row of chunk) {
      const hash = md5(wholeRow(row))
      const group = ours.get(hash.slice(0, 4)) ?? { count: 0, sum: 0 }
      ours.set(hash.slice(0, 4), group)
      group.count++
      group.sum += Number.parseInt(hash.slice(4, 11), 16)
    }
  }
  const { rows } = await client.query<{ digits: string; count: number; sum: number }>(
    `SELECT left(md5(whole), 4) AS digits, count(*)::float8 AS count,
            sum(('x' || substr(md5(whole), 5, 7))::bit(28)::integer::bigint)::float8 AS sum
     FROM ${canonicalTargetRows(table, schema)} AS w GROUP BY 1`,
  )
  const theirs = new Map(rows.map((row) => [row.digits, row]))
  const found: string[] = []
  let held = 0
  for (const digits of new Set([...ours.keys(), ...theirs.keys()])) {
    const [here, there] = [ours.get(digits), theirs.get(digits)]
    if (here?.count === there?.count && here?.sum === there?.sum) continue
    held += there?.count ?? 0
    if (found.length > 0 && held > MOST_HASHES) break
    found.push(digits)
  }
  return found
}

async function hashesOf(
  client: pg.Client,
  table: PlannedTable,
  schema: string,
  groups: string[],
): Promise<Map<string, number>> {
  const { rows } = await client.query<{ hash: string; count: number }>(
    `SELECT md5(whole) AS hash, count(*)::float8 AS count FROM ${canonicalTargetRows(table, schema)} AS w
     WHERE left(md5(whole), 4) = ANY ($1::text[]) GROUP BY 1`,
    [groups],
  )
  return new Map(rows.map((row) => [row.hash, row.count]))
}

/** The columns by which a row of one side is found on the other: the key's, if each of them is carried. */
function keyOf(table: PlannedTable): PlannedColumn[] {
  const columns = (table.primaryKey?.columns ?? []).map((name) =>
    table.columns.find((column) => column.target === name),
  )
  return columns.every((column) => column !== undefined) ? columns : []
}

const picked = (table: PlannedTable, key: PlannedColumn[], row: CanonicalRow) =>
  key.map((column) => row[table.columns.indexOf(column)] ?? null)

/** A row that the target doesn't have, beside the one that has its key there. */
async function showSource(
  client: pg.Client,
  table: PlannedTable,
  schema: string,
  row: CanonicalRow,
): Promise<RowDifference> {
  const key = keyOf(table)
  if (key.length === 0) return rowDifference(table, anyKey(table, row), row, null)
  const values = picked(table, key, row)
  const match = key.map((column, i) => `${canonicalTarget(column)} = $${i + 1}`).join(' AND ')
  const { rows } = await client.query({
    text: `SELECT ${table.columns.map(canonicalTarget).join(', ')} FROM ${qualified(schema, table.target)} WHERE ${match} LIMIT 1`,
    values,
    rowMode: 'array',
  })
  const other = (rows[0] as unknown as CanonicalRow | undefined) ?? null
  return rowDifference(table, keyText(key, values), row, other)
}

/** A row that only the target has. */
async function showTarget(
  db: Database.Database,
  client: pg.Client,
  table: PlannedTable,
  schema: string,
  hash: string,
): Promise<RowDifference | undefined> {
  const { rows } = await client.query({
    text: `SELECT ${table.columns.map((_, i) => `c${i}`).join(', ')} FROM ${canonicalTargetRows(table, schema)} AS w WHERE md5(whole) = $1 LIMIT 1`,
    values: [hash],
    rowMode: 'array',
  })
  const row = rows[0] as unknown as CanonicalRow | undefined
  if (!row) return undefined
  const key = keyOf(table)
  if (key.length === 0) return rowDifference(table, anyKey(table, row), null, row)
  const values = picked(table, key, row)
  const match = key.map((column) => `CAST(${canonicalSource(column)} AS TEXT) = ?`).join(' AND ')
  const found = db
    .prepare(
      `SELECT ${table.columns.map((column) => `CAST(${canonicalSource(column)} AS TEXT)`).join(', ')} FROM ${quoteIdentifier(table.source)} WHERE ${match} LIMIT 1`,
    )
    .raw()
    .all(...values) as CanonicalRow[]
  await castJson(client, table, found)
  return rowDifference(table, keyText(key, values), found[0] ?? null, row)
}

/** A row without a key is named by its first values. */
function anyKey(table: PlannedTable, row: CanonicalRow): string {
  const first = table.columns.slice(0, 3)
  const values = row.slice(0, 3).map((value) => value?.slice(0, 40) ?? null)
  return `${scanOf(table).table}: ${keyText(first, values)}`
}
