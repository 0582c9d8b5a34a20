import { createHash } from 'node:crypto'
import type Database from 'better-sqlite3'
import type pg from 'pg'
import { quoteIdentifier, quoteLiteral } from '../plan/names'
import { qualified } from '../target/ddl'
import { type Bounds, type Key, nextKey, orderBy, type Scan, scanOf, within } from '../transfer/ranges'
import { bits, canonicalSource, canonicalTarget, plainDecimal } from '../transfer/render'
import type { PlannedColumn, PlannedTable } from '../types'

/** Stands for NULL among canonical values, which never are this character alone but for a text that is; counts tell them apart. */
const NULL_MARK = '\x01'

/** What of a column both engines add up: values that are not NULL, and their sum or length where that is exact. */
export interface Tally {
  count: number
  /** Sum of integers, decimal text, or bytes of texts and blobs; null where there is no exact one. */
  sum: string | null
}

/** Both sides of a range, chunk by chunk in the order of the key. */
export interface Digest {
  sourceRows: number
  targetRows: number
  /** In the plan's order. `differs`: in a chunk whose rows differ, this column's values do. */
  columns: { source: Tally; target: Tally; differs: boolean }[]
  /** MD5 of each chunk's rows in canonical form. */
  rows: { source: string[]; target: string[] }
  firstDifference?: string
}

/** A column as a set of values: two sums of 28-bit pieces of every value's MD5. */
export interface Side {
  count: number
  sums: number[]
}

export interface DigestTask {
  table: PlannedTable
  schema: string
  bounds: Bounds
  /** The source's texts are UTF-16: their bytes are not those of the target. */
  utf16: boolean
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

/**
 * Compares the rows of a range chunk by chunk, PostgreSQL and SQLite at work on the same one at the same time: counts
 * and sums by column, and one MD5 over all rows. Where that differs, the columns are hashed one by one.
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
  const step = Math.min(
    50_000,
    Math.max(1, Math.floor((4 << 20) / (table.bytes / Math.max(1, table.rows) + 16))),
  )
  const digest: Digest = {
    sourceRows: 0,
    targetRows: 0,
    columns: table.columns.map(() => ({ source: blank(), target: blank(), differs: false })),
    rows: { source: [], target: [] },
  }
  for (let lo: Key | null = bounds.lo, last = false; !last && !stopped(); ) {
    const position: Key | null = nextKey(db, table, scan, { lo, hi: bounds.hi }, step)
    last = position === null
    const range: Bounds = { lo, hi: position ?? bounds.hi }
    const asked = client.query({ text: targetChunk(task, range), rowMode: 'array' })
    asked.catch(() => {})
    const source = sourceChunk(db, task, scan, range)
    const target = readChunk(table, (await asked).rows[0] as unknown as (string | null)[])
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
    if (source.hash !== target.hash || source.rows !== target.rows || json.size > 0) {
      for (const i of await differingColumns(db, client, task, scan, range)) {
        const column = digest.columns[i]
        if (column) column.differs = true
      }
      digest.firstDifference ??= await firstDifference(db, client, task, scan, range)
    }
    onRows(source.rows)
    lo = position
  }
  return digest
}

const blank = (): Tally => ({ count: 0, sum: null })
const md5 = (data: Buffer | string) => createHash('md5').update(data).digest('hex')
const EMPTY = md5('')

function addTally(total: Tally, more: Tally): void {
  total.count += more.count
  if (more.sum !== null) total.sum = (BigInt(total.sum ?? 0) + BigInt(more.sum)).toString()
}

interface ChunkDigest {
  rows: number
  columns: Tally[]
  hash: string
}

/** Three results a column: count, and a sum in two halves, so that no sum of 64-bit integers overflows. */
function tallySource(column: PlannedColumn, utf16: boolean): string {
  const name = quoteIdentifier(column.source)
  switch (sumOf(column, utf16)) {
    case 'value':
      return `count(${name}), sum(${name} >> 32), sum(${name} & 4294967295)`
    case 'bytes':
      return `count(${name}), 0, sum(octet_length(${name}))`
    default:
      return `count(${name}), NULL, NULL`
  }
}

function tallyTarget(column: PlannedColumn, utf16: boolean): string {
  const name = quoteIdentifier(column.target)
  const value = column.render === 'boolean' ? `${name}::integer` : name
  switch (sumOf(column, utf16)) {
    case 'value':
      return `count(${name}), sum(${value})`
    case 'bytes':
      return `count(${name}), sum(octet_length(${name}))`
    default:
      return `count(${name}), NULL`
  }
}

function sumOf({ render }: PlannedColumn, utf16: boolean): 'value' | 'bytes' | null {
  if (render === 'integer' || render === 'boolean') return 'value'
  return (render === 'text' && !utf16) || render === 'bytes' ? 'bytes' : null
}

/** jsonb is compared on its own: SQLite can't print its form. */
const hashed = (table: PlannedTable) => table.columns.filter((column) => column.render !== 'jsonb')

/** A row of canonical values as one text. */
function rowSource(table: PlannedTable): string {
  const fields = hashed(table).map((column) => {
    const canonical = canonicalSource(column)
    return column.nullable || column.evidence.nulls > 0 ? `ifnull(${canonical}, char(1))` : canonical
  })
  return fields.length === 0
    ? `''`
    : fields.length === 1
      ? (fields[0] as string)
      : `concat_ws(char(31), ${fields.join(', ')})`
}

function rowTarget(table: PlannedTable): string {
  const fields = hashed(table).map((column) => `coalesce(${canonicalTarget(column)}, E'\\x01')`)
  return fields.length === 0 ? `''` : `concat_ws(E'\\x1f', ${fields.join(', ')})`
}

/** The blob of a chunk, or its text where a UTF-16 database would give other bytes. */
const joined = (expression: string, utf16: boolean) => {
  const text = `group_concat(${expression}, char(10))`
  return utf16 ? text : `CAST(${text} AS BLOB)`
}

function sourceRows({ table }: DigestTask, scan: Scan, range: Bounds): { from: string; values: Key } {
  const { condition, values } = within(scan, range)
  return {
    from: `(SELECT * FROM ${quoteIdentifier(table.source)} WHERE ${condition} ORDER BY ${orderBy(scan)})`,
    values,
  }
}

function sourceChunk(db: Database.Database, task: DigestTask, scan: Scan, range: Bounds): ChunkDigest {
  const { table, utf16 } = task
  const { from, values } = sourceRows(task, scan, range)
  const tallies = table.columns.map((column) => tallySource(column, utf16))
  const sql = `SELECT count(*), ${joined(rowSource(table), utf16)}, ${tallies.join(', ')} FROM ${from}`
  const row = db
    .prepare(sql)
    .raw()
    .safeIntegers()
    .get(...values) as unknown[]
  return {
    rows: Number(row[0]),
    hash: row[1] === null ? EMPTY : md5(row[1] as Buffer | string),
    columns: table.columns.map((_, i) => {
      const [count, high, low] = row.slice(2 + 3 * i, 5 + 3 * i) as [bigint, bigint | null, bigint | null]
      const sum = high === null || low === null ? null : ((high << 32n) + low).toString()
      return { count: Number(count), sum }
    }),
  }
}

function targetChunk({ table, schema, utf16 }: DigestTask, range: Bounds): string {
  const { where, order } = targetRange(table, orderedScan(table) as Scan, range)
  const columns = table.columns.map((column) => quoteIdentifier(column.target)).join(', ')
  const tallies = table.columns.map((column) => tallyTarget(column, utf16)).join(', ')
  return `SELECT count(*), md5(string_agg(${rowTarget(table)}, E'\\n')), ${tallies} FROM (SELECT ${columns} FROM ${qualified(schema, table.target)} ${where} ORDER BY ${order}) AS chunk`
}

function readChunk(table: PlannedTable, row: (string | null)[]): ChunkDigest {
  return {
    rows: Number(row[0]),
    hash: row[1] ?? EMPTY,
    columns: table.columns.map((_, i) => ({ count: Number(row[2 + 2 * i]), sum: row[3 + 2 * i] ?? null })),
  }
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

/** jsonb's own form of texts read from the source: numbers, order of keys and spaces as PostgreSQL keeps them. */
async function canonicalJson(client: pg.Client, texts: (string | null)[]): Promise<(string | null)[]> {
  const { rows } = await client.query<{ text: string | null }>(
    'SELECT v::jsonb::text AS text FROM unnest($1::text[]) WITH ORDINALITY AS u(v, i) ORDER BY i',
    [texts],
  )
  return rows.map((row) => row.text)
}

function targetRange(
  table: PlannedTable,
  scan: Scan,
  range: Bounds,
): { where: string; order: string; names: string[] } {
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
  return { where: parts.length ? `WHERE ${parts.join(' AND ')}` : '', order: names.join(', '), names }
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
    const position: Key | null = nextKey(db, table, scan, { lo, hi: bounds.hi }, 5000)
    last = position === null
    const { condition, values } = within(scan, { lo, hi: position ?? bounds.hi })
    const sql = `SELECT ${canonical} FROM ${quoteIdentifier(table.source)} WHERE ${condition}`
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
  side.sums[0] = ((side.sums[0] ?? 0) + Number.parseInt(hash.slice(0, 7), 16)) % SUM_MODULUS
  side.sums[1] = ((side.sums[1] ?? 0) + Number.parseInt(hash.slice(7, 14), 16)) % SUM_MODULUS
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
