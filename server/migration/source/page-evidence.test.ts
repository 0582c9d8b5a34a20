import type Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { random } from '@/db/testing/library'
import { readingPages, sourceFiles } from '../testing/source'
import { type Bounds, EVERYTHING, type Scan } from '../transfer/ranges'
import { type EvidenceColumn, readEvidence, shapeOf } from './evidence'
import { evidenceOfRange, readPageEvidence } from './page-evidence'

const create = sourceFiles()

const scan: Scan = { table: 't', columns: ['id'], descending: false }

/** Columns as a plan asks for them: with the form of the first time, and as they were declared. */
function columnsOf(db: Database.Database): EvidenceColumn[] {
  const declared = db.prepare('SELECT name, type, "notnull" AS required FROM pragma_table_xinfo(?)').all('t')
  return (declared as { name: string; type: string; required: number }[]).map(({ name, type, required }) => {
    const first = db.prepare(`SELECT "${name}" FROM t WHERE "${name}" IS NOT NULL LIMIT 1`).pluck().get()
    const shape = /^(date|timestamp)/i.test(type) && typeof first === 'string' ? shapeOf(first) : undefined
    return { name, declaredType: type, notNull: required === 1, ...(shape && { shape }) }
  })
}

/** Both readings of a range, and the columns that were read from the pages. */
function both(db: Database.Database, bounds: Bounds = EVERYTHING, of: Scan = scan) {
  const columns = columnsOf(db)
  return readingPages(db, (file) => {
    const plain = file ? readPageEvidence(db, file, of, bounds, columns) : []
    return {
      pages: evidenceOfRange(db, file, of, bounds, columns),
      sqlite: readEvidence(db, of, bounds, columns),
      fromPages: columns.filter((_, i) => plain[i]).map(({ name }) => name),
    }
  })
}

const PLAIN = `CREATE TABLE t (id INTEGER PRIMARY KEY, small INT, large BIGINT NOT NULL, real DOUBLE, name TEXT, fixed VARCHAR(20) NOT NULL,
  flag BOOLEAN, born DATE, seen DATETIME, at TIMESTAMP, millis DATETIME, zoned DATETIME, empty INTEGER, none TEXT, never DATE)`

function fill(db: Database.Database, rows: number): void {
  const below = random(7)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = () => `${1900 + below(200)}-${two(1 + below(12))}-${two(1 + below(28))}`
  const time = () => `${two(below(24))}:${two(below(60))}:${two(below(60))}`
  const maybe = <T>(value: T) => (below(5) === 0 ? null : value)
  const add = db.prepare(
    `INSERT INTO t (small, large, real, name, fixed, flag, born, seen, at, millis, zoned) VALUES (${Array(11).fill('?').join(', ')})`,
  )
  db.transaction(() => {
    for (let i = 0; i < rows; i++)
      add.run(
        maybe(below(2) ? below(300) - 150 : below(2 ** 30) * 64 - 2 ** 35),
        BigInt(below(2 ** 31)) * BigInt(below(2 ** 31)) * (below(2) ? 2n : -2n),
        maybe(below(3) === 0 ? below(100) : (below(2 ** 30) / 2 ** 30 - 0.5) * 10 ** below(300)),
        maybe('ä'.repeat(below(40))),
        'x'.repeat(below(20)),
        maybe(below(2)),
        maybe(day()),
        maybe(`${day()} ${time()}`),
        maybe(`${day()}T${time()}`),
        maybe(`${day()} ${time()}.${String(below(1000)).padStart(3, '0')}`),
        maybe(`${day()}T${time()}.${String(below(1_000_000)).padStart(6, '0')}Z`),
      )
  })()
}

describe('evidence from pages', () => {
  for (const size of [512, 4096, 65_536])
    it(`is what SQLite finds in pages of ${size} bytes, whole and by ranges`, () => {
      const db = create(PLAIN, [`page_size = ${size}`])
      fill(db, 3_000)
      const names = columnsOf(db).map(({ name }) => name)
      for (const bounds of [
        EVERYTHING,
        { lo: null, hi: [700n] },
        { lo: [700n], hi: [701n] },
        { lo: [2_500n], hi: null },
        { lo: [9_000n], hi: null },
      ]) {
        const { pages, sqlite, fromPages } = both(db, bounds)
        expect(pages).toEqual(sqlite)
        // Without a first value nothing is known of the form of a declared time.
        expect(fromPages).toEqual(names.filter((name) => name !== 'never'))
      }
    })

  it('is what SQLite finds at the ends of what numbers can be', () => {
    const db = create(
      `CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, r REAL);
       INSERT INTO t VALUES (1, 9223372036854775807, 9e999), (2, -9223372036854775808, -9e999), (3, 0, 0.0), (4, 1, -0.0),
         (5, 140737488355328, 4.9e-324), (6, -140737488355329, 1e300), (7, 8388608, 9007199254740993), (8, -32769, 3);
       INSERT INTO t VALUES (9007199254740991, NULL, NULL)`,
    )
    for (const hi of [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9_007_199_254_740_991n]) {
      const { pages, sqlite, fromPages } = both(db, { lo: null, hi: [hi] })
      expect(pages).toEqual(sqlite)
      expect(fromPages).toEqual(['id', 'i', 'r'])
    }
  })

  it.each([
    ['a text among integers', `INSERT INTO t (small, large, fixed) VALUES ('x', 1, '')`, 'small'],
    ['a fraction among integers', `INSERT INTO t (small, large, fixed) VALUES (1.5, 1, '')`, 'small'],
    ['a blob among reals', `INSERT INTO t (real, large, fixed) VALUES (x'01', 1, '')`, 'real'],
    ['a number for a time', `INSERT INTO t (seen, large, fixed) VALUES (1700000000, 1, '')`, 'seen'],
    ['a day that no calendar has', `INSERT INTO t (born, large, fixed) VALUES ('2023-02-29', 1, '')`, 'born'],
    [
      'an hour that no clock has',
      `INSERT INTO t (seen, large, fixed) VALUES ('2023-02-28 24:00:00', 1, '')`,
      'seen',
    ],
    [
      'a time of another form',
      `INSERT INTO t (at, large, fixed) VALUES ('2023-02-28 10:00:00', 1, '')`,
      'at',
    ],
    [
      'a letter in a fraction',
      `INSERT INTO t (millis, large, fixed) VALUES ('2023-02-28 10:00:00.0x0', 1, '')`,
      'millis',
    ],
    [
      'a time without its zone',
      `INSERT INTO t (zoned, large, fixed) VALUES ('2023-02-28T10:00:00.000000+', 1, '')`,
      'zoned',
    ],
  ])('leaves a column with %s to SQLite, and no other', (_, statement, column) => {
    const db = create(PLAIN)
    fill(db, 50)
    db.exec(statement)
    const { pages, sqlite, fromPages } = both(db)
    expect(pages).toEqual(sqlite)
    const names = columnsOf(db).map(({ name }) => name)
    expect(fromPages).toEqual(names.filter((name) => name !== column && name !== 'never'))
  })

  it('counts blobs among texts, leap days, and the year 0, which PostgreSQL lacks', () => {
    const db = create(`CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, born DATE, first DATE);
      INSERT INTO t VALUES (1, x'00ff', '2024-02-29', '0000-01-01'), (2, 'b', '2000-02-29', '2024-01-01'), (3, NULL, NULL, NULL)`)
    const { pages, sqlite, fromPages } = both(db)
    expect(pages).toEqual(sqlite)
    expect(fromPages).toEqual(['id', 'name', 'born', 'first'])
    expect(pages.map(({ blobs, shape }) => [blobs, shape])).toEqual([
      [0, undefined],
      [1, undefined],
      [0, 'date'],
      [0, undefined],
    ])
  })

  it('takes a column that is younger than its rows for NULL, and leaves one with a default to SQLite', () => {
    const db = create(`CREATE TABLE t (id INTEGER PRIMARY KEY, a INT); INSERT INTO t VALUES (1, 1), (2, 2);
      ALTER TABLE t ADD COLUMN b INT; ALTER TABLE t ADD COLUMN c INT DEFAULT 7; INSERT INTO t VALUES (3, 3, 3, 3)`)
    const { pages, sqlite, fromPages } = both(db)
    expect(pages).toEqual(sqlite)
    expect(fromPages).toEqual(['id', 'a', 'b'])
  })

  it.each([
    [
      'rows of more than 256 KB',
      `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, hex(zeroblob(200000)))`,
      scan,
    ],
    [
      'negative rowids',
      `CREATE TABLE t (id INTEGER PRIMARY KEY, a INT); INSERT INTO t VALUES (-1, 1), (1, 2)`,
      scan,
    ],
    [
      'generated columns',
      `CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b INT AS (a + 1)); INSERT INTO t (a) VALUES (1)`,
      scan,
    ],
    [
      'a key instead of rowids',
      `CREATE TABLE t (id INTEGER PRIMARY KEY, a INT) WITHOUT ROWID; INSERT INTO t VALUES (1, 1)`,
      scan,
    ],
  ])('leaves a table with %s to SQLite', (_, script, of) => {
    const { pages, sqlite, fromPages } = both(create(script), EVERYTHING, of)
    expect(pages).toEqual(sqlite)
    expect(fromPages).toEqual([])
  })

  it('puts rows together that go over several pages', () => {
    const db = create(
      `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, after INT);
      INSERT INTO t VALUES (1, hex(zeroblob(30000)), 5), (2, hex(zeroblob(100)), 70000), (3, hex(zeroblob(3000)), NULL)`,
      ['page_size = 512'],
    )
    const { pages, sqlite, fromPages } = both(db)
    expect(pages).toEqual(sqlite)
    expect(fromPages).toEqual(['id', 'name', 'after'])
  })

  it('is SQLite’s alone while the log holds a part of the database', () => {
    const db = create('CREATE TABLE t (id INTEGER PRIMARY KEY, a INT)', ['journal_mode = WAL'])
    db.exec('INSERT INTO t VALUES (1, 2)')
    const { pages, sqlite, fromPages } = both(db)
    expect(pages).toEqual(sqlite)
    expect(pages[1]?.integers).toBe(1)
    expect(fromPages).toEqual([])
  })
})
