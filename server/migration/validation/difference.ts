import type Database from 'better-sqlite3'
import type pg from 'pg'
import { quoteIdentifier, quoteLiteral } from '../plan/names'
import { qualified } from '../target/ddl'
import { type Bounds, orderBy, type Scan, within } from '../transfer/ranges'
import { canonicalSource, canonicalTarget } from '../transfer/render'
import type { PlannedColumn } from '../types'
import { canonicalJson } from './canonical'
import { type DigestTask, targetRange } from './order'

/** Fetches a chunk that differs from both sides and names the first row and column where it does. */
export async function firstDifference(
  db: Database.Database,
  client: pg.Client,
  { table, schema }: DigestTask,
  scan: Scan,
  range: Bounds,
): Promise<string> {
  const keys = scan.columns.map(
    (source) => table.columns.find((column) => column.source === source) as PlannedColumn,
  )
  const all = [...keys, ...table.columns]
  const { condition, values } = within(scan, range)
  const theirs = targetRange(table, scan, range)
  const sourceSql = `SELECT ${all.map((column) => `CAST(${canonicalSource(column)} AS TEXT)`).join(', ')} FROM ${quoteIdentifier(table.source)} WHERE ${condition} ORDER BY ${orderBy(scan)}`
  const targetSql = `SELECT ${all.map(canonicalTarget).join(', ')} FROM ${qualified(schema, table.target)} ${theirs.where} ORDER BY ${theirs.order}`
  const source = db
    .prepare(sourceSql)
    .raw()
    .all(...values) as (string | null)[][]
  const target = (await client.query({ text: targetSql, rowMode: 'array' })).rows as unknown as (
    | string
    | null
  )[][]
  for (const [i, column] of table.columns.entries()) {
    if (column.render !== 'jsonb') continue
    const at = keys.length + i
    const texts = await canonicalJson(
      client,
      source.map((row) => row[at] ?? null),
    )
    source.forEach((row, n) => {
      row[at] = texts[n] ?? null
    })
  }
  const keyText = (row: (string | null)[]) => keys.map((key, i) => `${key.source} = ${row[i]}`).join(', ')
  const byKey = new Map(target.map((row) => [keyText(row), row]))
  for (const row of source) {
    const key = keyText(row)
    const other = byKey.get(key)
    if (!other) return `${key}: not in the target`
    byKey.delete(key)
    const at = table.columns.findIndex((_, i) => row[keys.length + i] !== other[keys.length + i])
    if (at >= 0) {
      const show = (value: string | null | undefined) =>
        value == null ? 'NULL' : quoteLiteral(value.slice(0, 60))
      return `${key}, ${table.columns[at]?.source}: source ${show(row[keys.length + at])}, target ${show(other[keys.length + at])}`
    }
  }
  const extra = byKey.keys().next().value
  return extra ? `${extra}: not in the source` : 'the rows differ in their number'
}
