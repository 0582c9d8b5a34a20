import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { random } from '@/db/testing/library'
import { undoAfterEach } from '@/db/testing/undo'
import { noEvidence } from '../source/evidence'
import { readingPages, sourceFiles } from '../testing/source'
import type { PlannedColumn, PlannedTable, TimeShape } from '../types'
import type { ChunkReader } from './chunks'
import { openPageReader } from './page-reader'
import { isWholeFile, NotPlain, openPages, pagesOf } from './pages'
import { type Bounds, EVERYTHING } from './ranges'

const later = undoAfterEach()
const create = sourceFiles()

type ColumnOf = Pick<PlannedColumn, 'source' | 'type' | 'render'> & Partial<PlannedColumn>

function planOf(db: Database.Database, columns: ColumnOf[], scanned = 'id'): PlannedTable {
  const [min, max] = db.prepare(`SELECT min(${scanned}), max(${scanned}) FROM t`).raw().get() as number[]
  return {
    ...{
      source: 't',
      target: 't',
      rows: 1,
      bytes: 1,
      primaryKey: null,
      indexes: [],
      foreignKeys: [],
      notes: [],
    },
    scan: { kind: 'rowid', name: scanned, min: String(min), max: String(max) },
    columns: columns.map((column) => ({
      ...{ target: column.source, declaredType: '', nullable: true, evidence: noEvidence },
      ...column,
    })),
  }
}

/** Reads a range as a run does, chunk by chunk, in a read transaction. */
function read(
  db: Database.Database,
  table: PlannedTable,
  bounds: Bounds = EVERYTHING,
): (Buffer | null)[][] | null {
  return readingPages(db, (file) => {
    const reader = openPageReader(db, table, () => file)
    if (!reader) return null
    const rows: (Buffer | null)[][] = []
    for (let { lo } = bounds; ; ) {
      const chunk = reader.next({ lo, hi: bounds.hi })
      const found = chunk.data ? rowsOf(chunk.data) : []
      expect(found).toHaveLength(chunk.rows)
      rows.push(...found)
      if (chunk.position === null) return rows
      lo = chunk.position
    }
  })
}

/** Fields of a binary COPY without its head and tail. */
function rowsOf(data: Buffer): (Buffer | null)[][] {
  const rows: (Buffer | null)[][] = []
  for (let at = 0; at < data.length; ) {
    const row: (Buffer | null)[] = []
    const count = data.readInt16BE(at)
    at += 2
    for (let i = 0; i < count; i++) {
      const length = data.readInt32BE(at)
      at += 4
      row.push(length < 0 ? null : Buffer.from(data.subarray(at, at + length)))
      at += Math.max(0, length)
    }
    rows.push(row)
  }
  return rows
}

/** A value as PostgreSQL reads it, from its field; microseconds since 2000 of a time, days of a date. */
function decode(type: string, field: Buffer | null): unknown {
  if (field === null) return null
  switch (type) {
    case 'smallint':
      return BigInt(field.readInt16BE())
    case 'integer':
    case 'date':
      return BigInt(field.readInt32BE())
    case 'boolean':
      return BigInt(field.readUInt8())
    case 'double precision':
      return field.readDoubleBE()
    case 'text':
      return field.toString()
    case 'bytea':
      return field.toString('hex')
    default:
      return field.readBigInt64BE()
  }
}

const values = (rows: (Buffer | null)[][] | null, types: readonly string[]) =>
  rows?.map((row) => row.map((field, i) => decode(types[i] as string, field)))

describe('pages of a table', () => {
  const columns: ColumnOf[] = [
    { source: 'id', type: 'bigint', render: 'integer' },
    { source: 'n', type: 'bigint', render: 'integer' },
    { source: 'r', type: 'double precision', render: 'real' },
    { source: 's', type: 'text', render: 'text' },
    { source: 'b', type: 'bytea', render: 'bytes' },
    { source: 'ok', type: 'boolean', render: 'boolean' },
  ]
  const types = columns.map(({ type }) => type)
  const schema = 'CREATE TABLE t (n INTEGER, s TEXT, id INTEGER PRIMARY KEY, r REAL, ok BOOLEAN, b BLOB)'

  /** Rows of every size of a page, with gaps, changed and deleted ones, in an order that splits pages. */
  function fill(db: Database.Database, seed: number, rows: number, longest: number): void {
    const below = random(seed)
    const insert = db.prepare('INSERT OR REPLACE INTO t (id, n, r, s, ok, b) VALUES (?, ?, ?, ?, ?, ?)')
    const integer = () => {
      const bits = BigInt(below(64))
      const value = (BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32))
      return BigInt.asIntN(64, value) >> bits
    }
    const length = () => (below(20) === 0 ? below(longest) : below(90))
    const orNull = <T>(value: T) => (below(7) === 0 ? null : value)
    const reals = [0, -0, 1, -17, 2 ** 40, 0.1, 1e300, 5e-324, Number.POSITIVE_INFINITY, 123456.789]
    db.transaction(() => {
      for (let i = 0; i < rows; i++) {
        insert.run(
          below(10) === 0 ? below(2 ** 31) * 1000 : below(rows * 3),
          orNull(integer()),
          orNull(reals[below(reals.length)]),
          orNull('aé東🚀'.repeat(length() / 4)),
          orNull(below(2)),
          orNull(Buffer.alloc(length(), below(256))),
        )
      }
      db.prepare('DELETE FROM t WHERE id % 11 = 0').run()
      db.prepare(`UPDATE t SET s = s || s WHERE id % 13 = 0`).run()
    })()
  }

  const expected = (db: Database.Database, where = 'true') =>
    db
      .prepare(
        `SELECT id, n, r, s, CASE WHEN b IS NOT NULL THEN lower(hex(b)) END, ok FROM t WHERE ${where} ORDER BY id`,
      )
      .raw()
      .safeIntegers()
      .all()

  it.each([
    { size: 512, longest: 4_000 },
    { size: 1024, longest: 20_000 },
    { size: 4096, longest: 60_000 },
    { size: 4096, longest: 60_000, vacuum: 'incremental' },
    { size: 65_536, longest: 300_000 },
  ])('of $size bytes hold what SQLite reads from them ($vacuum)', ({ size, longest, vacuum }) => {
    const db = create(schema, [`page_size = ${size}`, `auto_vacuum = ${vacuum ?? 'none'}`])
    fill(db, size, size > 4096 ? 600 : 3_000, longest)
    const table = planOf(db, columns)
    expect(values(read(db, table), types)).toEqual(expected(db))
  })

  it('are read for a range alone, and for an empty one', () => {
    const db = create(schema)
    fill(db, 7, 20_000, 5_000)
    const table = planOf(db, columns)
    const ids = db.prepare('SELECT id FROM t ORDER BY id').pluck().all() as number[]
    const below = random(3)
    for (let i = 0; i < 20; i++) {
      const [lo, hi] = [below(ids.length), below(ids.length)]
        .sort((a, b) => a - b)
        .map((at) => ids[at] as number)
      const bounds = { lo: [BigInt(lo as number)], hi: [BigInt(hi as number)] }
      const where = `id > ${lo} AND id <= ${hi}`
      expect(values(read(db, table, bounds), types), where).toEqual(expected(db, where))
    }
    expect(read(db, table, { lo: [5n], hi: [5n] })).toEqual([])
  })

  it('are read on where the last chunk ended, also after another reader went on', () => {
    const db = create(schema)
    fill(db, 9, 20_000, 5_000)
    const table = planOf(db, columns)
    db.exec('BEGIN')
    const reader = openPageReader(db, table, () => pagesOf(openPages(db.name)))
    const first = reader?.next(EVERYTHING)
    const at = Number(first?.position?.[0])
    expect(values(rowsOf(first?.data as Buffer), types)).toEqual(expected(db, `id <= ${at}`))
    const skipped = db
      .prepare('SELECT max(id) FROM (SELECT id FROM t WHERE id > ? LIMIT 100)')
      .pluck()
      .get(at)
    const second = reader?.next({ lo: [BigInt(skipped as number)], hi: null })
    const [row] = values(rowsOf(second?.data as Buffer), types) ?? []
    expect(row).toEqual(expected(db, `id > ${skipped}`)[0])
    db.exec('ROLLBACK')
  })

  it('are put where the last chunk was once it is given back, and nowhere near it before', () => {
    const db = create(schema)
    fill(db, 11, 20_000, 5_000)
    db.exec('BEGIN')
    const reader = openPageReader(db, planOf(db, columns), () => pagesOf(openPages(db.name))) as ChunkReader
    const first = reader.next(EVERYTHING)
    const before = Buffer.from(first.data as Buffer)
    const second = reader.next({ lo: first.position, hi: null })
    expect(first.data?.equals(before)).toBe(true)
    reader.giveBack?.()
    const third = reader.next({ lo: second.position, hi: null })
    expect(third.data?.buffer).toBe(second.data?.buffer)
    expect(third.data?.buffer).not.toBe(first.data?.buffer)
    db.exec('ROLLBACK')
  })

  it('hold the rows of a table without rows and of one that fits its root', () => {
    const db = create(schema)
    expect(
      read(db, { ...planOf(db, columns), scan: { kind: 'rowid', name: 'id', min: '0', max: '0' } }),
    ).toEqual([])
    db.exec(`INSERT INTO t (id, s) VALUES (0, 'zero'), (9007199254740991, 'last')`)
    expect(values(read(db, planOf(db, columns)), types)).toEqual(expected(db))
  })

  it('give the hidden rowid its place, and NULL to rows from before a column', () => {
    const db = create(`CREATE TABLE t (s TEXT); INSERT INTO t VALUES ('a'), ('b')`)
    db.exec(`ALTER TABLE t ADD COLUMN later INTEGER; INSERT INTO t VALUES ('c', 7)`)
    const table = planOf(
      db,
      [
        { source: 's', type: 'text', render: 'text' },
        { source: 'later', type: 'integer', render: 'integer' },
      ],
      'rowid',
    )
    expect(values(read(db, table), ['text', 'integer'])).toEqual([
      ['a', null],
      ['b', null],
      ['c', 7n],
    ])
    db.exec(`ALTER TABLE t ADD COLUMN more INTEGER DEFAULT 5`)
    const added = planOf(db, [{ source: 'more', type: 'integer', render: 'integer' }], 'rowid')
    expect(() => read(db, added)).toThrow(NotPlain)
  })

  it('have a thousand columns', () => {
    const names = Array.from({ length: 1_200 }, (_, i) => `c${i}`)
    const db = create(`CREATE TABLE t (id INTEGER PRIMARY KEY, ${names.map((name) => `${name} INTEGER`)})`)
    const insert = db.prepare(`INSERT INTO t VALUES (?, ${names.map(() => '?')})`)
    const row = (id: number) => [id, ...names.map((_, i) => (i % 5 === 0 ? null : i * id))]
    db.transaction(() => {
      for (let id = 1; id <= 20; id++) insert.run(...row(id))
    })()
    const all = ['id', ...names].map((source): ColumnOf => ({ source, type: 'bigint', render: 'integer' }))
    const rows = db.prepare('SELECT * FROM t').raw().safeIntegers().all()
    expect(
      values(
        read(db, planOf(db, all)),
        all.map(({ type }) => type),
      ),
    ).toEqual(rows)
  })
})

describe('a time', () => {
  const EPOCH = Date.UTC(2000, 0, 1)
  const micros = (text: string) => {
    const [seconds = '', parts = ''] = text.replace('Z', '').replace(' ', 'T').split('.')
    return BigInt(Date.parse(`${seconds}Z`) - EPOCH) * 1000n + BigInt(parts.padEnd(6, '0') || 0)
  }

  it.each([
    [' 0', '2026-11-30 17:42:59'],
    ['T0', '1999-12-31T23:59:59'],
    [' 3', '2024-02-29 00:00:00.007'],
    ['T3Z', '1900-03-01T12:00:00.999Z'],
    [' 6', '1900-02-28 23:59:59.000001'],
    ['T6Z', '2200-12-31T23:59:59.999999Z'],
  ])('of the form %s is counted in microseconds since 2000', (shape, text) => {
    const db = create('CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME)')
    db.prepare('INSERT INTO t VALUES (1, ?), (2, NULL)').run(text)
    const evidence = { ...noEvidence, shape: shape as TimeShape }
    const type = `timestamp ${shape.endsWith('Z') ? 'with' : 'without'} time zone`
    const table = planOf(db, [{ source: 'at', type, render: 'time', evidence }])
    expect(values(read(db, table), [type])).toEqual([[micros(text)], [null]])
  })

  it('of a day is counted in days since 2000, over every leap year', () => {
    const db = create('CREATE TABLE t (id INTEGER PRIMARY KEY, d DATE)')
    const days = Array.from({ length: 3_000 }, (_, i) => Date.parse('0001-01-01') + i * 1217 * 86_400_000)
    const texts = days
      .map((day) => new Date(day).toISOString().slice(0, 10))
      .filter((text) => /^\d{4}-/.test(text))
    const insert = db.prepare('INSERT INTO t (d) VALUES (?)')
    db.transaction(() => {
      for (const text of texts) insert.run(text)
    })()
    const evidence = { ...noEvidence, shape: 'date' as const }
    const table = planOf(db, [{ source: 'd', type: 'date', render: 'time', evidence }])
    expect(values(read(db, table), ['date'])).toEqual(
      texts.map((text) => [BigInt((Date.parse(text) - EPOCH) / 86_400_000)]),
    )
  })
})

describe('what is left to SQLite', () => {
  const one = (column: Omit<ColumnOf, 'source'>, value: string, declared = '') => {
    const db = create(
      `CREATE TABLE t (id INTEGER PRIMARY KEY, c ${declared}); INSERT INTO t VALUES (1, ${value})`,
    )
    return { db, table: planOf(db, [{ source: 'c', ...column }]) }
  }

  it.each([
    ['a text in a column of integers', { type: 'bigint', render: 'integer' }, `'x'`],
    ['a real in a column of integers', { type: 'bigint', render: 'integer' }, '1.5'],
    ['an integer that is too long', { type: 'smallint', render: 'integer' }, '40000'],
    ['a number in a column of texts', { type: 'text', render: 'text' }, '5'],
    ['a blob in a column of texts', { type: 'text', render: 'text' }, `x'00'`],
    ['a text in a column of blobs', { type: 'bytea', render: 'bytes' }, `'x'`],
    ['a text in a column of doubles', { type: 'double precision', render: 'real' }, `'x'`],
    ['a two in a column of booleans', { type: 'boolean', render: 'boolean' }, '2'],
    ['a text in a column of booleans', { type: 'boolean', render: 'boolean' }, `'t'`],
  ] as const)('is a range with %s', (_, column, value) => {
    const { db, table } = one(column, value)
    expect(() => read(db, table)).toThrow(NotPlain)
  })

  it.each([
    ['another form', '2026-11-30T17:42:59'],
    ['no digits', '2026-11-3x 17:42:59'],
    ['a year that PostgreSQL lacks', '0000-11-30 17:42:59'],
    ['a time past exact arithmetic', '9999-11-30 17:42:59'],
  ])('is a range with a time of %s', (_, text) => {
    const evidence = { ...noEvidence, shape: ' 0' as const }
    const { db, table } = one({ type: 'timestamp without time zone', render: 'time', evidence }, `'${text}'`)
    // The form alone is read, not its separators: those the plan has seen in every row.
    if (text.includes('T')) expect(read(db, table)).not.toBeNull()
    else expect(() => read(db, table)).toThrow(NotPlain)
  })

  it.each([
    ['a decimal', { type: 'numeric', render: 'numeric' }],
    ['a chosen rendering', { type: 'uuid', render: 'uuid' }],
    ['a value that may not fit', { type: 'bigint', render: 'integer', fits: 'c > 0' }],
    ['a value in place of NULL', { type: 'bigint', render: 'integer', instead: '0' }],
    ['very long rows', { type: 'text', render: 'text', evidence: { ...noEvidence, maxBytes: 2 ** 21 } }],
  ] as const)('is a table with %s', (_, column) => {
    const { db, table } = one(column, '5')
    expect(read(db, table)).toBeNull()
  })

  it('is a table with generated columns, with negative rowids, and without rowids', () => {
    const generated = create(
      'CREATE TABLE t (id INTEGER PRIMARY KEY, c INTEGER, g AS (c + 1)); INSERT INTO t VALUES (1, 2)',
    )
    const columns: ColumnOf[] = [{ source: 'c', type: 'bigint', render: 'integer' }]
    expect(read(generated, planOf(generated, columns))).toBeNull()
    generated.exec(
      'DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, c INTEGER); INSERT INTO t VALUES (-1, 2)',
    )
    expect(read(generated, planOf(generated, columns))).toBeNull()
    const keyed = {
      ...planOf(generated, columns),
      scan: { kind: 'key' as const, columns: ['id'], descending: false },
    }
    expect(read(generated, keyed)).toBeNull()
  })

  it('is a virtual table, which has no pages', () => {
    const db = create(`CREATE VIRTUAL TABLE t USING fts5(c); INSERT INTO t VALUES ('x')`)
    expect(read(db, planOf(db, [{ source: 'c', type: 'text', render: 'text' }], 'rowid'))).toBeNull()
  })

  it('is a database of which a write-ahead log holds a part', () => {
    const db = create('CREATE TABLE t (id INTEGER PRIMARY KEY, c INTEGER); INSERT INTO t VALUES (1, 2)', [
      'journal_mode = wal',
    ])
    const table = planOf(db, [{ source: 'c', type: 'bigint', render: 'integer' }])
    expect(read(db, table)).toBeNull()
    db.pragma('wal_checkpoint(TRUNCATE)')
    expect(values(read(db, table), ['bigint'])).toEqual([[2n]])
  })
})

it('the file of an empty log stays as it is while it is read, whatever others commit', () => {
  const db = create('CREATE TABLE t (id INTEGER PRIMARY KEY, c INTEGER); INSERT INTO t VALUES (1, 2)', [
    'journal_mode = wal',
  ])
  db.pragma('wal_checkpoint(TRUNCATE)')
  const reader = new Database(db.name, { readonly: true })
  later(() => reader.close())
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM sqlite_schema').get()
  expect(isWholeFile(reader)).toBe(true)
  const table = planOf(reader, [{ source: 'c', type: 'bigint', render: 'integer' }])
  const pages = pagesOf(openPages(db.name))
  db.exec('UPDATE t SET c = 3; INSERT INTO t VALUES (2, 4)')
  db.pragma('wal_checkpoint(PASSIVE)')
  const rows = openPageReader(reader, table, () => pages)?.next(EVERYTHING)
  expect(values(rowsOf(rows?.data as Buffer), ['bigint'])).toEqual([[2n]])
  reader.exec('ROLLBACK')
  db.pragma('wal_checkpoint(TRUNCATE)')
  expect(isWholeFile(reader)).toBe(false)
})
