import BetterSqlite3 from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adviseSqliteIndexes, describeIndex, findSqliteIndexProblems } from '.'

const SCHEMA = `
  CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, country TEXT NOT NULL, vip INTEGER NOT NULL);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES people (id), status TEXT NOT NULL,
                       total INTEGER NOT NULL, shelf INTEGER NOT NULL, created_at INTEGER NOT NULL, due INTEGER NOT NULL, note TEXT NOT NULL);
  CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
  CREATE INDEX orders_shelf_created_at ON orders (shelf, created_at);
  CREATE INDEX orders_shelf ON orders (shelf);
  CREATE INDEX orders_total ON orders (total);
  CREATE INDEX orders_total_again ON orders (total);
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
  INSERT INTO people SELECT i, 'p' || i || '@example.org', 'C' || i % 5, i % 400 = 0 FROM n;
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
  INSERT INTO orders SELECT i, 1 + (i * 7919) % 10000, CASE WHEN (i * 31) % 301 = 0 THEN 'open' ELSE 'closed' END,
                            (i * 31) % 5000, i % 12, 100000 - i, 100000 - i, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' FROM n;
  INSERT INTO kinds VALUES (1, 'one'), (2, 'two');`

for (const analysed of [true, false]) {
  describe(`index advice on SQLite, ${analysed ? 'after ANALYZE' : 'never analysed'}`, () => {
    let source: BetterSqlite3.Database
    beforeAll(() => {
      source = new BetterSqlite3(':memory:')
      source.exec(SCHEMA)
      if (analysed) source.exec('ANALYZE')
    })
    afterAll(() => source.close())

    const adviceOn = (text: string): string => {
      const [verdict] = adviseSqliteIndexes(source, [{ text, calls: 1, totalMilliseconds: 0 }]).verdicts
      return verdict?.index ? describeIndex(verdict.index) : `none: ${verdict?.none}`
    }

    it('takes equalities, lists and joins', () => {
      expect(adviceOn('SELECT * FROM orders WHERE person_id = ?')).toBe('orders (person_id)')
      expect(adviceOn('SELECT * FROM orders WHERE person_id IN (?, ?)')).toBe('orders (person_id)')
      expect(
        adviceOn('SELECT o.total FROM people p JOIN orders o ON o.person_id = p.id WHERE p.email = ?'),
      ).toBe('orders (person_id)')
      expect(adviceOn('DELETE FROM orders WHERE person_id = ?')).toBe('orders (person_id)')
    })

    it('sees values that come again at even distances', () => {
      const laps = new BetterSqlite3(':memory:')
      laps.exec(`CREATE TABLE laps (id INTEGER PRIMARY KEY, lap INTEGER NOT NULL, note TEXT NOT NULL);
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
        INSERT INTO laps SELECT i, i % 60, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' FROM n;`)
      if (analysed) laps.exec('ANALYZE')
      const asked = { text: 'SELECT * FROM laps WHERE lap = ?', calls: 1, totalMilliseconds: 0 }
      const [verdict] = adviseSqliteIndexes(laps, [asked]).verdicts
      laps.close()
      expect(verdict?.index && describeIndex(verdict.index)).toBe('laps (lap)')
    })

    it('takes the order of a limited query', () => {
      expect(adviceOn('SELECT * FROM orders ORDER BY created_at DESC LIMIT 10')).toBe('orders (created_at)')
    })

    it('takes a narrow range whose bounds it knows', () => {
      expect(adviceOn('SELECT * FROM orders WHERE due < 40500')).toBe('orders (due)')
    })

    it('makes a partial index for a rare constant', () => {
      expect(adviceOn("SELECT * FROM orders WHERE status = 'open' ORDER BY created_at LIMIT 20")).toBe(
        "orders (created_at) WHERE status = 'open'",
      )
    })

    it('makes an index on an expression', () => {
      expect(adviceOn('SELECT id FROM people WHERE lower(email) = ?')).toBe('people (lower(email))')
    })

    it('says why there is none', () => {
      expect(adviceOn('SELECT * FROM people WHERE id = ?')).toBe('none: indexed-already')
      expect(adviceOn('SELECT * FROM people WHERE email = ?')).toBe('none: indexed-already')
      expect(adviceOn('SELECT * FROM kinds WHERE name = ?')).toBe('none: small-table')
      expect(adviceOn("SELECT * FROM orders WHERE status = 'closed'")).toBe('none: not-selective')
      expect(adviceOn('SELECT status, count(*) FROM orders GROUP BY status')).toBe('none: no-condition')
      expect(adviceOn('SELECT * FROM gone WHERE a = 1')).toBe('none: not-understood')
    })

    it('gives DDL that SQLite takes, and the plan then is the one it foretold', () => {
      const text = 'SELECT * FROM orders WHERE person_id = ?'
      const [advice] = adviseSqliteIndexes(source, [{ text, calls: 10, totalMilliseconds: 100 }]).advice
      const evidence = advice?.verdicts[0]?.evidence
      expect(advice?.ddl).not.toContain('CONCURRENTLY')
      expect(evidence?.planBefore).toMatch(/^SCAN orders/)
      const plan = () =>
        (source.prepare(`EXPLAIN QUERY PLAN ${text}`).all(1) as { detail: string }[])[0]?.detail
      source.exec(advice?.ddl as string)
      expect(plan()).toBe(evidence?.planAfter.replace('the new index', advice?.name as string))
      source.exec(advice?.undo as string)
      expect(plan()).toMatch(/^SCAN orders/)
    })

    it('does not change the file', () => {
      const version = source.pragma('schema_version', { simple: true })
      const changes = source.prepare('SELECT total_changes()').pluck().get()
      adviceOn("SELECT * FROM orders WHERE status = 'open' AND person_id = ?")
      expect(source.pragma('schema_version', { simple: true })).toBe(version)
      expect(source.prepare('SELECT total_changes()').pluck().get()).toBe(changes)
    })

    it('finds duplicates, redundant indexes, foreign keys without one, and what was never analysed', () => {
      const problems = findSqliteIndexProblems(source)
      expect(problems.map(({ kind, place, index }) => [kind, place, index])).toEqual([
        ['duplicate', 'orders', 'orders_total_again'],
        ['redundant', 'orders', 'orders_shelf'],
        ['foreign-key', 'orders', null],
        ...(analysed ? [] : [['stale-statistics', 'orders', null]]),
        ...(analysed ? [] : [['stale-statistics', 'people', null]]),
      ])
      expect(problems[1]).toMatchObject({
        ddl: 'DROP INDEX orders_shelf',
        undo: 'CREATE INDEX orders_shelf ON orders (shelf)',
      })
    })
  })
}
