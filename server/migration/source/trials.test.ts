import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { EVERYTHING } from '../transfer/ranges'
import { tryTypes } from './trials'

it('counts and shows what more types refuse than a row of SQLite has columns', () => {
  const db = new Database(':memory:')
  db.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t (a) VALUES (1), ('x'), ('x'), (NULL)`)
  const scan = { table: 't', columns: ['id'], descending: false }
  const trials = Array.from({ length: 2500 }, (_, i) => ({
    column: 'a',
    test: i % 2 ? `ifnull(typeof("a") = 'integer' OR "a" IS NULL, 0)` : `("a" IS "a")`,
  }))
  const results = tryTypes(db, scan, EVERYTHING, trials)
  expect(results).toHaveLength(2500)
  expect(results[2498]).toEqual({ refused: 0, misfits: [] })
  expect(results[2499]).toEqual({ refused: 2, misfits: ['x'] })
  db.close()
})
