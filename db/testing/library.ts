import { rmSync } from 'node:fs'
import Database from 'better-sqlite3'

/** A small, fast, repeatable source of numbers (mulberry32, public domain by Tommy Ettinger). */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below)
  }
}

const SCHEMA = `
  CREATE TABLE authors (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE,
    manager_id INTEGER REFERENCES authors(id) ON DELETE SET NULL, born DATE, active BOOLEAN NOT NULL DEFAULT 1);
  CREATE TABLE books (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES authors(id) ON DELETE CASCADE,
    title TEXT NOT NULL, price DECIMAL(8,2) NOT NULL DEFAULT 0, weight REAL, cover BLOB,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP);
  CREATE TABLE tags (slug TEXT PRIMARY KEY, label TEXT) WITHOUT ROWID;
  CREATE TABLE book_tags (book_id INTEGER NOT NULL REFERENCES books(id) ON DELETE CASCADE,
    tag TEXT NOT NULL REFERENCES tags(slug) ON UPDATE CASCADE, PRIMARY KEY (book_id, tag)) WITHOUT ROWID;
  CREATE TABLE readers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, note TEXT, score INTEGER);
  CREATE TABLE loans (reader_id INTEGER NOT NULL REFERENCES readers(id), book_id INTEGER NOT NULL REFERENCES books(id),
    copy INTEGER NOT NULL DEFAULT 1, lent_at TEXT NOT NULL DEFAULT (datetime('now')), returned INTEGER,
    PRIMARY KEY (reader_id, book_id, copy));
  CREATE INDEX books_author ON books (author_id, created_at DESC);
  CREATE INDEX loans_open ON loans (book_id) WHERE returned IS NULL;
  CREATE INDEX readers_score ON readers (score DESC);`

const WORDS =
  'amber brisk cedar dawn ember fjord grove harbour inlet juniper kelp lantern meadow north orchard pebble quartz river stone tundra umber vale willow yarrow Zürich naïve 東京 🚀'.split(
    ' ',
  )

/**
 * Writes a library of six related tables: self-reference, composite and text keys, tables WITHOUT ROWID, blobs,
 * NULL beside '', awkward text, integers past 2^53. Returns the rows of each table; `rows` is about their sum.
 */
export function makeLibrary(file: string, rows = 120_000, seed = 7): Record<string, number> {
  rmSync(file, { force: true })
  const db = new Database(file)
  const below = random(seed)
  const words = (n: number) => Array.from({ length: n }, () => WORDS[below(WORDS.length)]).join(' ')
  const moment = () =>
    new Date(1_600_000_000_000 + below(150_000_000) * 1000).toISOString().slice(0, 19).replace('T', ' ')
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = OFF')
  db.exec(SCHEMA)
  const counts = {
    authors: Math.ceil(rows / 60),
    books: Math.ceil(rows / 6),
    tags: 200,
    book_tags: Math.ceil(rows / 4),
    readers: Math.ceil(rows / 6),
    loans: Math.ceil(rows / 2.5),
  }
  const awkward = [
    'tab\there',
    'line\nbreak',
    'back\\slash',
    'quote\'d "twice"',
    '\\N',
    '',
    '\r\n',
    '\x1f unit',
    'é̄ 👩‍👩‍👧',
    '\\.',
  ]
  const insert = (table: string, width: number) =>
    db.prepare(`INSERT INTO ${table} VALUES (${Array(width).fill('?')})`)
  db.transaction(() => {
    db.pragma('defer_foreign_keys = ON')
    const authors = insert('authors', 6)
    for (let i = 1; i <= counts.authors; i++) {
      const born = below(4) ? moment().slice(0, 10) : null
      authors.run(
        i,
        words(2),
        `author${i}@example.org`,
        i > 1 && below(3) ? 1 + below(counts.authors) : null,
        born,
        below(2),
      )
    }
    const books = insert('books', 7)
    for (let i = 1; i <= counts.books; i++) {
      const cover = below(10) === 0 ? Buffer.from(Array.from({ length: below(40) }, () => below(256))) : null
      const weight = below(5) ? below(1_000_000) / 7 : null
      books.run(
        i,
        1 + below(counts.authors),
        words(1 + below(6)),
        below(100_000) / 100,
        weight,
        cover,
        moment(),
      )
    }
    const tags = insert('tags', 2)
    for (let i = 0; i < counts.tags; i++) tags.run(`tag-${i}`, below(3) ? words(1) : null)
    const bookTags = db.prepare('INSERT OR IGNORE INTO book_tags VALUES (?, ?)')
    for (let i = 0, made = 0; made < counts.book_tags; i++) {
      made += bookTags.run(1 + (i % counts.books), `tag-${below(counts.tags)}`).changes
    }
    const readers = insert('readers', 4)
    for (let i = 1; i <= counts.readers; i++) {
      const note = below(3) === 0 ? null : below(20) === 0 ? awkward[below(awkward.length)] : words(below(12))
      const score = below(50) === 0 ? 9_007_199_254_740_993n + BigInt(below(1000)) : BigInt(below(1000))
      readers.run(i * 3, words(2), note, score)
    }
    const loans = insert('loans', 5)
    for (let i = 0; i < counts.loans; i++) {
      const reader = 3 * (1 + (i % counts.readers))
      const book = 1 + ((i * 7919) % counts.books)
      loans.run(reader, book, 1 + Math.floor(i / counts.readers), moment(), below(4) ? below(2) : null)
    }
    // An id that was given out and is gone: the sequence must not give it out again.
    authors.run(counts.authors + 5, 'gone', 'gone@example.org', null, null, 0)
    db.prepare('DELETE FROM authors WHERE id = ?').run(counts.authors + 5)
  })()
  const real = db.prepare(
    `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid`,
  )
  const result = Object.fromEntries(
    (real.pluck().all() as string[]).map((name) => [
      name,
      db.prepare(`SELECT count(*) FROM ${name}`).pluck().get() as number,
    ]),
  )
  db.close()
  return result
}

/** Every row of a table in the order of its key, integers as bigint: the source's side of a comparison. */
export function readRows(file: string, table: string, key: string): Record<string, unknown>[] {
  const db = new Database(file, { readonly: true })
  try {
    const select = db.prepare(`SELECT * FROM "${table}" ORDER BY ${key}`).safeIntegers()
    return select.all() as Record<string, unknown>[]
  } finally {
    db.close()
  }
}
