import { createHash } from 'node:crypto'
import type Database from 'better-sqlite3'
import type pg from 'pg'
import { qualified } from './ddl'
import { quoteIdentifier, quoteLiteral } from './names'
import { type Bounds, type Key, keyAt, orderBy, type Scan, scanOf, within } from './ranges'
import { bits, canonicalSource, canonicalTarget, plainDecimal } from './render'
import { quoteName } from './source'
import type { PlannedColumn, PlannedTable } from './types'

/** Stands for NULL among canonical values, which never are this character alone but for a text that is; counts tell them apart. */
const NULL_MARK = '\x01'

/** Checksums of both sides over a range, by column in the plan's order (and, unordered, one more over whole rows). */
export interface Digest {
  sourceRows: number
  targetRows: number
  columns: { source: Side; target: Side }[]
  firstDifference?: string
}
/** `sums`: MD5 of chunks in order, or two sums of 28-bit pieces of every value's MD5. */
export interface Side {
  count: number
  sums: (string | number)[]
}

export interface DigestTask {
  table: PlannedTable
  schema: string
  bounds: Bounds
}

/** Functions for the few doubles whose canonical form SQL arithmetic doesn't reach. */
export function registerCanonical(db: Database.Database): void {
  db.function('holdfast_bits', { deterministic: true }, (value: unknown) => bits(Number(value)))
  db.function('holdfast_decimal', { deterministic: true }, (value: unknown) => plainDecimal(String(value)))
}

/**
 * The source columns by which both engines give rows in one order: an integer primary key. Text keys sort by
 * collation in PostgreSQL, so that their tables are compared as sets of rows.
 */
export function orderedScan(table: PlannedTable): Scan | null {
  if (!table.primaryKey) return null
  const columns = table.primaryKey.columns.map((key) => table.columns.find((column) => column.target === key))
  if (columns.some((column) => column?.render !== 'integer' || column.evidence.nulls > 0)) return null
  return {
    table: table.source,
    columns: columns.map((column) => column?.source as string),
    descending: false,
  }
}

/** Compares the rows of a range chunk by chunk: PostgreSQL works on one while SQLite works on the same. */
export async function digestOrdered(
  db: Database.Database,
  client: pg.Client,
  task: DigestTask,
  onRows: (rows: number) => void,
  stopped: () => boolean,
): Promise<Digest> {
  const { table, bounds } = task
  const scan = orderedScan(table) as Scan
  const step = Math.min(
    20_000,
    Math.max(1, Math.floor((1 << 20) / (table.bytes / Math.max(1, table.rows) + 16))),
  )
  const digest: Digest = {
    sourceRows: 0,
    targetRows: 0,
    columns: table.columns.map(() => ({ source: side(), target: side() })),
  }
  for (let lo: Key | null = bounds.lo, last = false; !last && !stopped(); ) {
    const position: Key | null = keyAt(db, scan, { lo, hi: bounds.hi }, step)
    last = position === null
    const range: Bounds = { lo, hi: position ?? bounds.hi }
    const asked = client.query({ text: targetChunk(task, range), rowMode: 'array' })
    asked.catch(() => {})
    const source = await sourceChunk(db, client, table, scan, range)
    const target = (await asked).rows[0] as unknown as (string | null)[]
    digest.sourceRows += source.rows
    digest.targetRows += Number(target[0])
    let same = source.rows === Number(target[0])
    digest.columns.forEach((column, i) => {
      const [count, sum] = [Number(target[1 + 2 * i]), target[2 + 2 * i] ?? EMPTY]
      column.source.count += source.columns[i]?.count ?? 0
      column.source.sums.push(source.columns[i]?.sum ?? '')
      column.target.count += count
      column.target.sums.push(sum)
      same &&= sum === source.columns[i]?.sum && count === source.columns[i]?.count
    })
    if (!same && digest.firstDifference === undefined) {
      digest.firstDifference = await firstDifference(db, client, task, scan, range)
    }
    onRows(source.rows)
    lo = position
  }
  return digest
}

const side = (): Side => ({ count: 0, sums: [] })
const md5 = (data: Buffer | string) => createHash('md5').update(data).digest('hex')
const EMPTY = md5('')

interface SourceChunk {
  rows: number
  columns: { count: number; sum: string }[]
}

async function sourceChunk(
  db: Database.Database,
  client: pg.Client,
  table: PlannedTable,
  scan: Scan,
  range: Bounds,
): Promise<SourceChunk> {
  const { condition, values } = within(scan, range)
  const parts = table.columns.flatMap((column) => {
    const canonical = column.render === 'jsonb' ? 'NULL' : canonicalSource(column)
    return [
      `count(${quoteName(column.source)})`,
      `CAST(group_concat(ifnull(${canonical}, char(1)), char(10)) AS BLOB)`,
    ]
  })
  const from = `(SELECT * FROM ${quoteName(table.source)} WHERE ${condition} ORDER BY ${orderBy(scan)})`
  const row = db
    .prepare(`SELECT count(*), ${parts.join(', ')} FROM ${from}`)
    .raw()
    .get(...values) as unknown[]
  const columns: SourceChunk['columns'] = []
  for (const [i, column] of table.columns.entries()) {
    const count = row[1 + 2 * i] as number
    const data = row[2 + 2 * i] as Buffer | null
    if (column.render === 'jsonb') {
      const name = quoteName(column.source)
      const texts = db
        .prepare(`SELECT ${name} FROM ${from}`)
        .pluck()
        .all(...values) as (string | null)[]
      columns.push({
        count,
        sum: md5((await canonicalJson(client, texts)).map((text) => text ?? NULL_MARK).join('\n')),
      })
    } else columns.push({ count, sum: data ? md5(data) : EMPTY })
  }
  return { rows: row[0] as number, columns }
}

/** jsonb's own form of texts read from the source: numbers, order of keys and spaces as PostgreSQL keeps them. */
async function canonicalJson(client: pg.Client, texts: (string | null)[]): Promise<(string | null)[]> {
  const { rows } = await client.query<{ text: string | null }>(
    'SELECT v::jsonb::text AS text FROM unnest($1::text[]) WITH ORDINALITY AS u(v, i) ORDER BY i',
    [texts],
  )
  return rows.map((row) => row.text)
}

function targetRange(table: PlannedTable, scan: Scan, range: Bounds): { where: string; order: string } {
  const names = scan.columns.map((source) =>
    quoteIdentifier(table.columns.find((column) => column.source === source)?.target as string),
  )
  const key = names.length === 1 ? (names[0] as string) : `(${names.join(', ')})`
  const literal = (values: Key) => {
    const items = values.map((value) => `'${value}'::bigint`)
    return items.length === 1 ? items[0] : `(${items.join(', ')})`
  }
  const parts = [
    range.lo && `${key} > ${literal(range.lo)}`,
    range.hi && `${key} <= ${literal(range.hi)}`,
  ].filter(Boolean)
  return { where: parts.length ? `WHERE ${parts.join(' AND ')}` : '', order: names.join(', ') }
}

function targetChunk({ table, schema, bounds: _ }: DigestTask, range: Bounds): string {
  const { where, order } = targetRange(table, orderedScan(table) as Scan, range)
  const columns = table.columns.map((column) => quoteIdentifier(column.target)).join(', ')
  const parts = table.columns.map(
    (column) =>
      `count(${quoteIdentifier(column.target)}), md5(string_agg(coalesce(${canonicalTarget(column)}, E'\\x01'), E'\\n'))`,
  )
  return `SELECT count(*), ${parts.join(', ')} FROM (SELECT ${columns} FROM ${qualified(schema, table.target)} ${where} ORDER BY ${order}) AS chunk`
}

/** Fetches a chunk that differs from both sides and names the first row and column where it does. */
async function firstDifference(
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
  const sourceSql = `SELECT ${all.map((column) => `CAST(${canonicalSource(column)} AS TEXT)`).join(', ')} FROM ${quoteName(table.source)} WHERE ${condition} ORDER BY ${orderBy(scan)}`
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

/**
 * A table as a set of rows: every canonical value's MD5, cut to two pieces of 28 bits that are added up, by column
 * and over whole rows. `side` says which engine to ask; ranges of the source add up.
 */
export async function digestSourceSet(
  db: Database.Database,
  client: pg.Client,
  { table, bounds }: DigestTask,
  onRows: (rows: number) => void,
  stopped: () => boolean,
): Promise<{ rows: number; columns: Side[] }> {
  const sums = [...table.columns, null].map(() => ({ count: 0, sums: [0, 0] }))
  const scan = scanOf(table)
  const canonical = table.columns.map((column) => `CAST(${canonicalSource(column)} AS TEXT)`).join(', ')
  let rows = 0
  for (let lo: Key | null = bounds.lo, last = false; !last && !stopped(); ) {
    const position: Key | null = keyAt(db, scan, { lo, hi: bounds.hi }, 5000)
    last = position === null
    const { condition, values } = within(scan, { lo, hi: position ?? bounds.hi })
    const sql = `SELECT ${canonical} FROM ${quoteName(table.source)} WHERE ${condition}`
    const chunk = db
      .prepare(sql)
      .raw()
      .all(...values) as (string | null)[][]
    for (const [i, column] of table.columns.entries()) {
      if (column.render !== 'jsonb') continue
      const texts = await canonicalJson(
        client,
        chunk.map((row) => row[i] ?? null),
      )
      chunk.forEach((row, n) => {
        row[i] = texts[n] ?? null
      })
    }
    for (const row of chunk) {
      for (const [i, value] of row.entries()) add(sums[i] as Side, value)
      add(sums[row.length] as Side, row.map((value) => value ?? NULL_MARK).join('\x1f'))
    }
    rows += chunk.length
    onRows(chunk.length)
    lo = position
  }
  return { rows, columns: sums }
}

/** Sums of 2^25 rows still fit a double's 53 bits with 28-bit pieces; beyond that they are taken modulo 2^52 on both sides. */
export const SUM_MODULUS = 2 ** 52

function add(side: Side, value: string | null): void {
  if (value === null) return
  const hash = md5(value)
  side.count++
  side.sums[0] = ((side.sums[0] as number) + Number.parseInt(hash.slice(0, 7), 16)) % SUM_MODULUS
  side.sums[1] = ((side.sums[1] as number) + Number.parseInt(hash.slice(7, 14), 16)) % SUM_MODULUS
}

export async function digestTargetSet(
  client: pg.Client,
  { table, schema }: DigestTask,
): Promise<{ rows: number; columns: Side[] }> {
  const names = table.columns.map((_, i) => `c${i}`)
  const canonical = table.columns.map((column, i) => `${canonicalTarget(column)} AS c${i}`)
  const whole = names.map((name) => `coalesce(${name}, E'\\x01')`).join(` || E'\\x1f' || `)
  const piece = (name: string, from: number) =>
    `coalesce(sum(('x' || substr(md5(${name}), ${from}, 7))::bit(28)::integer::bigint) % ${SUM_MODULUS}, 0)::float8`
  const sums = [...names, 'whole'].map(
    (name) => `count(${name})::float8, ${piece(name, 1)}, ${piece(name, 8)}`,
  )
  const { rows } = await client.query({
    text: `SELECT count(*)::float8, ${sums.join(', ')} FROM (SELECT *, ${whole} AS whole FROM (SELECT ${canonical.join(', ')} FROM ${qualified(schema, table.target)}) AS c) AS w`,
    rowMode: 'array',
  })
  const row = rows[0] as unknown as number[]
  const columns = [...names, 'whole'].map((_, i) => ({
    count: Number(row[1 + 3 * i]),
    sums: [Number(row[2 + 3 * i]), Number(row[3 + 3 * i])],
  }))
  return { rows: Number(row[0]), columns }
}
