import { describe, expect, it } from 'vitest'
import { noPostgres, openTrap } from './trap'

const SQL = `
  CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'x');
  CREATE VIRTUAL TABLE words USING fts5(title, body); INSERT INTO words VALUES ('one', 'first body'), ('two', 'second'); INSERT INTO words (rowid, title) VALUES (50, 'fifty');
  CREATE VIRTUAL TABLE boxes USING rtree(id, min_x, max_x); INSERT INTO boxes VALUES (7, 1.5, 2.5), (9, -1, 0.25);
  CREATE VIEW titles AS SELECT title FROM words;`

describe.skipIf(noPostgres)('the trap of', () => {
  const trap = openTrap()

  it('FTS, R-tree and their shadow tables: listed, and none of it carried as junk', async () => {
    const { plan, listed } = await trap.run(SQL)
    expect(plan.tables.map((table) => table.source)).toEqual(['t'])
    expect(listed).toEqual(['view titles', 'virtual table boxes', 'virtual table words'])
    expect(plan.notCarried.find((item) => item.name === 'words')?.sql).toContain('fts5')
    const relations = await trap.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')`,
    )
    expect(relations).toEqual([{ relname: 't' }])
  })

  it('virtual tables that are chosen: their rows in plain tables by rowid', async () => {
    const { listed } = await trap.run(SQL, {
      choices: { version: 1, tables: { words: { plain: true }, Boxes: { plain: true } } },
    })
    expect(listed).toEqual([])
    expect(await trap.query('SELECT * FROM words ORDER BY rowid')).toEqual([
      { rowid: '1', title: 'one', body: 'first body' },
      { rowid: '2', title: 'two', body: 'second' },
      { rowid: '50', title: 'fifty', body: null },
    ])
    expect(await trap.query('SELECT id::int, min_x, max_x FROM boxes ORDER BY 1')).toEqual([
      { id: 7, min_x: 1.5, max_x: 2.5 },
      { id: 9, min_x: -1, max_x: 0.25 },
    ])
    expect(await trap.query('SELECT * FROM titles')).toHaveLength(3)
    expect(await trap.query(`INSERT INTO words (title) VALUES ('n') RETURNING rowid`)).toEqual([
      { rowid: '51' },
    ])
  })
})
