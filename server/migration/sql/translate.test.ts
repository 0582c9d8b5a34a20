import Database from 'better-sqlite3'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { noEvidence } from '../source/evidence'
import type { ColumnEvidence, Render } from '../types'
import { translateExpression } from './translate'
import { knownColumn, type Scope, type Typed } from './types'

const engine = inject('postgres')

const COLUMNS = [
  { source: 'n', type: 'bigint', declaredType: 'INTEGER', counted: 'integers' },
  { source: 'm', type: 'bigint', declaredType: 'INT', counted: 'integers' },
  { source: 'r', type: 'double precision', declaredType: 'REAL', counted: 'reals' },
  { source: 'd', type: 'numeric(10,2)', declaredType: 'DECIMAL(10,2)', counted: 'reals' },
  { source: 't', type: 'text', declaredType: 'TEXT', counted: 'texts' },
  { source: 'nc', type: 'text', declaredType: 'TEXT', counted: 'texts', collation: 'NOCASE' },
  { source: 'f', type: 'boolean', declaredType: 'BOOLEAN', counted: 'integers' },
  {
    source: 'at',
    type: 'timestamp without time zone',
    declaredType: 'DATETIME',
    counted: 'texts',
    shape: ' 0',
  },
  { source: 'day', type: 'date', declaredType: 'DATE', counted: 'texts', shape: 'date' },
  { source: 'b', type: 'bytea', declaredType: 'BLOB', counted: 'blobs' },
  { source: 'mixed', type: 'text', declaredType: 'INTEGER', counted: 'texts', also: 'integers' },
] as const

const RENDERS: Record<string, Render> = {
  bigint: 'integer',
  'double precision': 'real',
  'numeric(10,2)': 'numeric',
  text: 'text',
  boolean: 'boolean',
  bytea: 'bytes',
}

const ROWS = `
  (1, 7, 3, 1.5, 2.5, 'Abc', 'ABC', 1, '2024-02-29 10:11:12', '2024-02-29', x'00ff', 'x'),
  (2, -7, 0, -2.5, 10, 'émile É', 'abc', 0, '1999-12-31 23:59:59', '1999-12-31', x'', 5),
  (3, 0, 2, 0.0, 0.25, '', 'b_c', 1, '2000-01-01 00:00:00', '2000-01-01', x'41', 'y'),
  (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (5, 100, -3, 1e10, 99.99, ' 50% off_x [a] ', 'É', 0, '2024-03-01 00:00:00', '2024-03-01', x'ffff', 'z'),
  (6, 9007199254740993, 1, 1.25, 7, '5', 'Z', 1, '0001-01-01 00:00:00', '0001-01-01', x'61', 9)`

const scope: Scope = {
  find(name) {
    const column = COLUMNS.find((one) => one.source === name.toLowerCase())
    if (!column) return undefined
    const evidence = { ...noEvidence, rows: 6, nulls: 1 }
    const counts = {
      ...evidence,
      [column.counted]: 5,
      ...('also' in column && { [column.also]: 2 }),
    } as ColumnEvidence
    const shape = 'shape' in column ? { shape: column.shape } : {}
    const planned = {
      ...column,
      target: column.source,
      nullable: true,
      render: RENDERS[column.type] ?? 'time',
      evidence: { ...counts, ...shape },
    }
    return knownColumn(planned, '', 'collation' in column ? column.collation : undefined)
  },
}

/** Each means the same over every row. */
const SAME = [
  'n > 0 AND m < 3',
  'n > 0 OR m IS NULL',
  'NOT n',
  "NOT (n = 7 OR t = '')",
  'n BETWEEN -7 AND 7',
  'n NOT BETWEEN 1 AND 5',
  'n IN (7, 0, NULL)',
  "t NOT IN ('Abc', '5')",
  "nc IN ('ABC', 'z')",
  'n IN ()',
  'n / m',
  'n / 2',
  '-7 / 2',
  'n % m',
  'n / 2.0',
  'r / m',
  'n / r',
  'n + m * 2 - -3',
  'length(t) * 1000000000',
  'n & 6 | 1',
  '~n',
  'd * m',
  'd / 2.0',
  'd > 2',
  'r >= 1.25',
  'n = 9007199254740993',
  'n > 1.5',
  "n = '7'",
  't = 5',
  "t > 'B'",
  "t < 'é'",
  "t BETWEEN 'A' AND 'a'",
  "nc = 'abc'",
  "nc <> 'É'",
  "nc > 'B'",
  "t = 'ABC' COLLATE NOCASE",
  "t COLLATE BINARY = 'Abc'",
  'f = 1',
  'f = 0',
  'f <> 1',
  'f IN (0, 1)',
  'f',
  'NOT f',
  'f IS TRUE',
  'n IS NOT FALSE',
  'f = TRUE',
  'f > 0',
  'f + 1',
  'n IS m',
  'n IS NOT 7',
  'n IS NULL',
  'n ISNULL',
  'n NOT NULL',
  'n NOTNULL',
  'mixed IS NOT NULL',
  "t LIKE 'a%'",
  "t LIKE '%É'",
  "t LIKE '%é'",
  "t NOT LIKE '_bc'",
  "t LIKE '%50\\%%' ESCAPE '\\'",
  "t LIKE '%\\%'",
  "n LIKE '7%'",
  "t GLOB '[A-Z]*'",
  "t GLOB '*[^a-z ]'",
  "t GLOB '*% off?x *'",
  "CASE WHEN n > 0 THEN 'pos' WHEN n < 0 THEN 'neg' ELSE 'none' END",
  'CASE n WHEN 7 THEN 1 WHEN 0 THEN 2 END',
  'CAST(r AS INTEGER)',
  'CAST(n AS TEXT)',
  'CAST(m AS REAL) / 2',
  "t || '-' || n",
  't || f',
  "day || 'T' || at",
  "coalesce(t, 'none')",
  'ifnull(n, m)',
  'coalesce(f, 0)',
  "nullif(t, '')",
  'iif(n > 0, n, -n)',
  'length(t)',
  'length(n)',
  'length(b)',
  'length(at)',
  'lower(t)',
  'upper(t)',
  'trim(t)',
  "ltrim(t, ' 5')",
  'rtrim(t)',
  'substr(t, 2)',
  'substr(t, 1, 2)',
  'substr(t, -2)',
  "substr(t, instr(t, 'b') + 1)",
  'abs(n)',
  'abs(r)',
  'round(r)',
  'round(n)',
  "instr(t, 'b')",
  "replace(t, 'b', 'BB')",
  'typeof(n)',
  'typeof(t)',
  'typeof(at)',
  "typeof(n) = 'integer'",
  'hex(b)',
  'max(n, m)',
  'min(t, nc)',
  "at > '2000-01-01 00:00:00'",
  "at > '2000-01-01'",
  "at <= '2024-02'",
  "at LIKE '2024-%'",
  "day = '2024-02-29'",
  "day <> '2023-02-30'",
  'day > at',
  'date(at) = day',
  'at = datetime(at)',
  'datetime(day)',
  'time(at)',
  "strftime('%Y', at)",
  "strftime('%d.%m.%Y', at)",
  "strftime('%s', at)",
  "date(at, '+1 day')",
  "date(at, 'start of month')",
  "datetime(m, 'unixepoch')",
  'unixepoch(at)',
  "b = x'00ff'",
  "coalesce(day, '2020-01-01')",
  '(n > 0) + (m > 0)',
]

/** Each means something else, or nothing, in PostgreSQL. */
const REFUSED = [
  "at > '2024'",
  'at > t',
  "mixed = 'x'",
  'mixed + 1',
  't + 1',
  't = n',
  "n = 'seven'",
  "length(t) = '3'",
  'd / 2',
  'd || t',
  'r || t',
  'CAST(t AS INTEGER)',
  'round(r, 2)',
  'substr(t, n)',
  'lower(b)',
  "t REGEXP 'a'",
  "t MATCH 'a'",
  'no_such_column',
  'soundex(t)',
  'date(t)',
  "datetime(at, 'localtime')",
  "date(at, '+1 month')",
  't LIKE nc',
  "coalesce(n, 'none')",
  'nc = t COLLATE mine',
  'sum(n)',
  'n IN (SELECT 1)',
  't -> 1',
  'json_valid(t)',
]

describe.skipIf(!engine)('an expression of SQLite', () => {
  const db = new Database(':memory:')
  let client: pg.Client
  beforeAll(async () => {
    const columns = COLUMNS.map(
      (one) => `${one.source} ${one.declaredType}${'collation' in one ? ` COLLATE ${one.collation}` : ''}`,
    )
    db.exec(`CREATE TABLE s (id INTEGER PRIMARY KEY, ${columns}); INSERT INTO s VALUES ${ROWS}`)
    client = new pg.Client({ ...(engine as NonNullable<typeof engine>), database: 'postgres' })
    await client.connect()
    await client.query(`SET search_path = pg_catalog; SET TimeZone = 'UTC'; SET extra_float_digits = 1`)
    await client.query(`CREATE TEMP TABLE s (id int, ${COLUMNS.map((one) => `${one.source} ${one.type}`)})`)
    const values = db
      .prepare(`SELECT id, ${COLUMNS.map((one) => one.source)} FROM s`)
      .raw()
      .safeIntegers()
      .all() as unknown[][]
    for (const row of values) {
      const params = row.map((value, i) =>
        COLUMNS[i - 1]?.type === 'boolean' && value !== null ? value === 1n : value,
      )
      await client.query(`INSERT INTO pg_temp.s VALUES (${params.map((_, i) => `$${i + 1}`)})`, params)
    }
  })
  afterAll(() => client.end())

  it.each(SAME)('means the same in PostgreSQL: %s', async (sql) => {
    const translated = translateExpression(sql, scope)
    if ('reason' in translated) throw new Error(translated.reason)
    const { value } = translated
    const source = db.prepare(`SELECT ${sql} FROM s ORDER BY id`).pluck().safeIntegers().all()
    const { rows } = await client.query({
      text: `SELECT ${shown(value)} AS v FROM pg_temp.s ORDER BY id`,
      rowMode: 'array',
    })
    expect(
      rows.map(([v]) => comparable(v)),
      value.sql,
    ).toEqual(source.map(comparable))
  })

  it.each(REFUSED)('is refused with a reason: %s', (sql) => {
    expect(translateExpression(sql, scope)).toHaveProperty('reason')
  })
})

/** Truths as 0 and 1, times as the text that SQLite holds. */
function shown({ sql, kind, shape }: Typed): string {
  if (kind === 'boolean') return `(${sql})::integer`
  if (kind === 'time')
    return `to_char(${sql}, '${shape === 'date' ? 'YYYY-MM-DD' : 'YYYY-MM-DD HH24:MI:SS'}')`
  return `(${sql})`
}

function comparable(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('hex')
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value))
    return Number.isSafeInteger(Number(value)) || value.includes('.') ? Number(value) : value
  return value
}
