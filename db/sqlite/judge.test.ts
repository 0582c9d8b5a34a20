import BetterSqlite3 from 'better-sqlite3'
import { afterAll, describe, expect, it } from 'vitest'
import { Judge } from './judge'

const client = new BetterSqlite3(':memory:')
afterAll(() => client.close())
client.exec(`
  CREATE TABLE small (id TEXT PRIMARY KEY, big_id INTEGER REFERENCES big);
  CREATE TABLE big (id INTEGER PRIMARY KEY, name TEXT, kind TEXT, place INTEGER, UNIQUE (kind, place));
  CREATE UNIQUE INDEX big_name ON big (name);
  CREATE INDEX small_big ON small (big_id);
  WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5000)
  INSERT INTO big SELECT n, 'n' || n, 'k' || (n % 10), n FROM c;
  INSERT INTO small SELECT id, id FROM big WHERE id <= 40;
`)
const judge = new Judge(client, client.prepare.bind(client) as never)
const few = (sql: string, ...params: (string | number)[]) => judge.looksAtFewRows(sql, params)

describe('a read looks at few rows', () => {
  it.each([
    ['by a rowid', 'SELECT * FROM big WHERE id = ?', 1],
    ['by a unique column', 'SELECT name FROM big WHERE name = ?', 1],
    ['by all columns of a unique key', 'SELECT id FROM big WHERE kind = ? AND place = ?', 2],
    ['by a short list', 'SELECT * FROM big WHERE id IN (?, ?, ?)', 3],
    ['by two keys', 'SELECT * FROM big WHERE id = ? OR name = ?', 2],
    ['in a small table', `SELECT count(*) FROM small WHERE id LIKE '%x%'`, 0],
    ['in a small table and by a key of a big one', 'SELECT * FROM small JOIN big ON big.id = big_id', 0],
    ['of a subquery on a small table', 'SELECT * FROM (SELECT id FROM small LIMIT 3) x', 0],
    ['without a table', 'SELECT ?', 1],
  ])('%s', (_, sql, params) => {
    expect(few(sql, ...Array(params).fill(1))).toBe(true)
  })
})

describe('a read may look at many', () => {
  it.each([
    ['in a big table', 'SELECT count(*) FROM big', 0],
    ['in a big table under another name', 'SELECT * FROM big b WHERE b.kind = ?', 1],
    ['by a range of a unique key', 'SELECT * FROM big WHERE id > ? LIMIT 1', 1],
    ['by a part of a unique key', 'SELECT * FROM big WHERE kind = ?', 1],
    ['by a long list', `SELECT * FROM big WHERE id IN (${Array(3_000).fill('?').join()})`, 3_000],
    ['in a product of small tables', 'SELECT * FROM small a, small b, small c', 0],
    [
      'in a recursion',
      'WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c LIMIT 5',
      0,
    ],
    ['of a function', 'SELECT * FROM json_each(?)', 1],
    ['behind a pragma', 'PRAGMA integrity_check', 0],
    ['in what isn’t there', 'SELECT * FROM nothing', 0],
  ])('%s', (_, sql, params) => {
    expect(few(sql, ...Array(params).fill(1))).toBe(false)
  })

  it('when its table has grown', () => {
    client.exec('CREATE TABLE growing (id INTEGER PRIMARY KEY)')
    expect(few('SELECT count(*) FROM growing')).toBe(true)
    client.exec('INSERT INTO growing SELECT id FROM big')
    expect(few('SELECT count(*) FROM growing')).toBe(false)
  })
})
