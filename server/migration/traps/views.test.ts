import { describe, expect, it } from 'vitest'
import { expectViews, noPostgres, openTrap } from './trap'

const TABLES = `
  CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL, nick TEXT COLLATE NOCASE, born DATE, active BOOLEAN NOT NULL DEFAULT 1);
  CREATE TABLE book (id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES author(id), title TEXT, price DECIMAL(8,2), pages INTEGER, at DATETIME);
  INSERT INTO author VALUES (1, 'Ann', 'annie', '1970-01-01', 1), (2, 'bob', 'ANNIE', NULL, 0), (3, 'Émile', NULL, '1999-12-31', 1);
  INSERT INTO book VALUES (1, 1, 'One', 9.5, 100, '2024-01-01 10:00:00'), (2, 1, 'two', 20, NULL, '2024-02-29 23:59:59'), (3, 2, NULL, NULL, 7, NULL), (4, NULL, 'Four', 0.25, 0, '2023-05-05 05:05:05');`

describe.skipIf(noPostgres)('the trap of', () => {
  const trap = openTrap()

  it('views: translated where they give the same rows, in the order in which they depend on one another', async () => {
    const { file, listed, plan } = await trap.run(`${TABLES}
      CREATE VIEW late AS SELECT author, total FROM totals WHERE total > 5;
      CREATE VIEW totals AS SELECT a.name AS author, count(b.id) AS n, sum(b.pages) AS pages, COALESCE(total(b.price), 0) AS total, max(b.title), min(b.at) AS first
        FROM author a LEFT JOIN book b ON b.author_id = a.id GROUP BY a.id HAVING count(*) > 0 ORDER BY a.name;
      CREATE VIEW everything AS SELECT * FROM book;
      CREATE VIEW joined (who, what, cheap, year) AS SELECT a.name, upper(b.title), b.price < 10, strftime('%Y', b.at) FROM author a JOIN book b ON a.id = b.author_id WHERE a.active AND b.title LIKE '%o%';
      CREATE VIEW same_nick AS SELECT a.name, b.name AS other FROM author a, author b WHERE a.nick = b.nick AND a.id < b.id;
      CREATE VIEW top AS SELECT id, title FROM book ORDER BY pages DESC, title LIMIT 2 OFFSET 1;
      CREATE VIEW both AS SELECT id, 'a' AS kind FROM author UNION ALL SELECT id, 'b' FROM book ORDER BY id, 1;
      CREATE VIEW published AS SELECT name FROM author WHERE EXISTS (SELECT 1 FROM book WHERE book.author_id = author.id) AND id IN (SELECT author_id FROM book WHERE pages > 5);
      CREATE VIEW counted AS SELECT name, (SELECT count(*) FROM book b WHERE b.author_id = author.id) AS books FROM author;
      CREATE VIEW nested AS WITH big(k, p) AS (SELECT author_id, pages FROM book WHERE pages > 5), who AS (SELECT id, name FROM author)
        SELECT who.name, q.most, q.n FROM who JOIN (SELECT k, max(p) AS most, count(*) n FROM big GROUP BY k) q ON q.k = who.id WHERE q.most > 6;
      CREATE VIEW kinds AS SELECT DISTINCT CASE WHEN pages > 50 THEN 'long' WHEN pages IS NULL THEN 'unknown' ELSE 'short' END AS kind, typeof(pages) FROM book;`)
    expect(listed).toEqual(['collation author.nick'])
    expect(plan.views?.map((view) => view.name)).toEqual([
      'totals',
      'late',
      'everything',
      'joined',
      'same_nick',
      'top',
      'both',
      'published',
      'counted',
      'nested',
      'kinds',
    ])
    await expectViews(trap, file, plan)
  })

  it('views that are not known to give the same: listed with their SQL, and what selects from them', async () => {
    const { listed, plan } = await trap.run(
      `${TABLES}
      CREATE VIEW bare AS SELECT title, max(pages) FROM book;
      CREATE VIEW ranked AS SELECT title, row_number() OVER (ORDER BY pages) AS place FROM book;
      CREATE VIEW tree AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n;
      CREATE VIEW rounded AS SELECT round(price, 1) AS price FROM book;
      CREATE VIEW on_rounded AS SELECT * FROM rounded;
      CREATE VIEW unwanted AS SELECT 1 AS one;
      CREATE VIEW broken AS SELECT * FROM gone;`,
      { choices: { version: 1, leaveOut: ['unwanted'] } },
    )
    expect(plan.views).toEqual([])
    const views = ['bare', 'broken', 'on_rounded', 'ranked', 'rounded', 'tree', 'unwanted'].map(
      (name) => `view ${name}`,
    )
    expect(listed).toEqual(['collation author.nick', ...views])
    expect(plan.notCarried.every((item) => item.kind !== 'view' || item.sql?.startsWith('CREATE VIEW'))).toBe(
      true,
    )
    expect(plan.notCarried.find((item) => item.name === 'unwanted')?.reason).toBe('Left out by choice.')
  })
})
