import type Database from 'better-sqlite3'
import type pg from 'pg'
import { qualified } from '../target/ddl'
import { type Key, nextKey, orderBy, scanOf } from '../transfer/ranges'
import { keepRejected } from '../transfer/rejected'
import type { PlannedTable } from '../types'
import { type CanonicalRow, castJson, md5, wholeRow } from './canonical'
import { canonicalSource, canonicalTarget } from './forms'
import { type DigestTask, storedRows } from './order'

/** A column as a set of values: two sums of 28-bit pieces of every value's MD5. */
export interface Side {
  count: number
  sums: number[]
}

/**
 * A table as a set of rows: every canonical value's MD5, cut to two pieces of 28 bits that are added up, by column
 * and over whole rows. `side` says which engine to ask; ranges of the source add up.
 */
export async function digestSourceSet(
  db: Database.Database,
  client: pg.Client,
  task: DigestTask,
  onRows: (rows: number) => void,
  stopped: () => boolean,
): Promise<{ rows: number; columns: Side[] }> {
  const { table } = task
  const sums = [...table.columns, null].map(() => ({ count: 0, sums: [0, 0] }))
  let rows = 0
  for await (const chunk of canonicalRows(db, client, task)) {
    if (stopped()) break
    for (const row of chunk) {
      for (const [i, value] of row.entries()) add(sums[i] as Side, value)
      add(sums[row.length] as Side, wholeRow(row))
    }
    rows += chunk.length
    onRows(chunk.length)
  }
  return { rows, columns: sums }
}

/** Sums of 2^25 rows still fit a double's 53 bits with 28-bit pieces; beyond that they are taken modulo 2^52 on both sides. */
export const SUM_MODULUS = 2 ** 52

function add(side: Side, value: string | null): void {
  if (value === null) return
  const hash = md5(value)
  side.count++
  side.sums[0] = ((side.sums[0] ?? 0) + Number.parseInt(hash.slice(0, 7), 16)) % SUM_MODULUS
  side.sums[1] = ((side.sums[1] ?? 0) + Number.parseInt(hash.slice(7, 14), 16)) % SUM_MODULUS
}

/** Stored rows of the source's range in canonical form, some thousand at a time, in the order of the table's scan. */
export async function* canonicalRows(
  db: Database.Database,
  client: pg.Client,
  task: DigestTask,
): AsyncGenerator<CanonicalRow[]> {
  const { table, bounds } = task
  keepRejected(db, table, task.rejected)
  const scan = scanOf(table)
  const canonical = table.columns.map((column) => `CAST(${canonicalSource(column)} AS TEXT)`).join(', ')
  for (let lo: Key | null = bounds.lo, last = false; !last; ) {
    const position: Key | null = nextKey(db, table, scan, { lo, hi: bounds.hi }, 5000)
    last = position === null
    const { from, values } = storedRows(task, scan, { lo, hi: position ?? bounds.hi })
    const chunk = db
      .prepare(`SELECT ${canonical} FROM ${from} ORDER BY ${orderBy(scan)}`)
      .raw()
      .all(...values) as CanonicalRow[]
    await castJson(client, table, chunk)
    yield chunk
    lo = position
  }
}

export async function digestTargetSet(
  client: pg.Client,
  { table, schema }: DigestTask,
): Promise<{ rows: number; columns: Side[] }> {
  const names = table.columns.map((_, i) => `c${i}`)
  const piece = (name: string, from: number) =>
    `coalesce(sum(('x' || substr(md5(${name}), ${from}, 7))::bit(28)::integer::bigint) % ${SUM_MODULUS}, 0)::float8`
  const sums = [...names, 'whole'].map(
    (name) => `count(${name})::float8, ${piece(name, 1)}, ${piece(name, 8)}`,
  )
  const { rows } = await client.query({
    // One array: a query has 1,664 results at most.
    text: `SELECT ARRAY[count(*)::float8, ${sums.join(', ')}] AS sums FROM ${canonicalTargetRows(table, schema)} AS w`,
  })
  const row = rows[0].sums as number[]
  const columns = [...names, 'whole'].map((_, i) => ({
    count: Number(row[1 + 3 * i]),
    sums: [Number(row[2 + 3 * i]), Number(row[3 + 3 * i])],
  }))
  return { rows: Number(row[0]), columns }
}

/** Rows of the target in canonical form: c0 … and `whole`, all of a row as one text. For a FROM. */
export function canonicalTargetRows(table: PlannedTable, schema: string): string {
  const canonical = table.columns.map((column, i) => `${canonicalTarget(column)} AS c${i}`).join(', ')
  const whole = table.columns.map((_, i) => `coalesce(c${i}, E'\\x01')`).join(` || E'\\x1f' || `)
  return `(SELECT *, ${whole} AS whole FROM (SELECT ${canonical} FROM ${qualified(schema, table.target)}) AS c)`
}
