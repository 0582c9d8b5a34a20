import { describe, expect, it } from 'vitest'
import { noPostgres, openTrap, refused } from './trap'

describe.skipIf(noPostgres)('the trap of', () => {
  const trap = openTrap()
  const definitions = async (table: string) =>
    Object.fromEntries(
      (await trap.query(`SELECT indexname, indexdef FROM pg_indexes WHERE tablename = '${table}'`)).map(
        (row) => [row.indexname, String(row.indexdef).replace(/^.* USING btree /, '')],
      ),
    )

  it('partial, expression, descending and covering indexes: the same keys, order and predicate', async () => {
    const { listed } = await trap.run(
      `
      CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL, state TEXT, at DATETIME, n INTEGER, f BOOLEAN NOT NULL);
      INSERT INTO t VALUES (1, 'Ann', 'open', '2024-01-01 00:00:00', 1, 1), (2, 'BOB', NULL, NULL, NULL, 0);
      CREATE INDEX by_lower ON t (lower(name), n % 10);
      CREATE UNIQUE INDEX one_name ON t (lower(trim(name)));
      CREATE INDEX newest ON t (name, at DESC, n ASC);
      CREATE INDEX "by day" ON t (date(at));
      CREATE INDEX covering ON t (n, state, at, name);
      CREATE UNIQUE INDEX one_open ON t (name) WHERE state = 'open' AND f AND length(name) > 2 AND at IS NOT NULL;
      CREATE INDEX strange ON t (printf('%d', n));`,
    )
    expect(listed).toEqual(['index strange'])
    expect(await definitions('t')).toEqual({
      t_pkey: '(id)',
      by_lower: '(lower(name), ((n % (10)::bigint)))',
      one_name: '(lower((btrim(name) COLLATE "C")))',
      newest: '(name, at DESC NULLS LAST, n NULLS FIRST)',
      'by day': '(((at)::date))',
      covering: '(n, state, at, name)',
      one_open: `(name) WHERE ((state = 'open'::text) AND f AND (length(name) > 2) AND (at IS NOT NULL))`,
    })
    expect(await refused(trap, `INSERT INTO t VALUES (3, ' ANN', NULL, NULL, NULL, false)`)).toBe('23505')
  })

  it('UNIQUE with NULLs: several NULLs, in constraints and in indexes', async () => {
    await trap.run(`
      CREATE TABLE u (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, UNIQUE (a, b)); CREATE UNIQUE INDEX ub ON u (b);
      INSERT INTO u (a, b) VALUES ('x', NULL), ('x', NULL), (NULL, 1), (NULL, NULL);`)
    expect(await refused(trap, `INSERT INTO u (a, b) VALUES ('x', NULL)`)).toBe('accepted')
    expect(await refused(trap, `INSERT INTO u (a, b) VALUES ('y', 1)`)).toBe('23505')
    expect(
      await trap.query(`SELECT conname FROM pg_constraint WHERE conrelid = 'u'::regclass AND contype = 'u'`),
    ).toEqual([{ conname: 'u_a_b_key' }])
  })

  it('NOCASE: as unique as before in constraints, keys and indexes; ASCII alone is folded; what queries see is listed', async () => {
    const { listed, report } = await trap.run(`
      PRAGMA foreign_keys = OFF;
      CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT COLLATE NOCASE UNIQUE, nick TEXT CHECK (nick <> 'root' COLLATE NOCASE));
      CREATE UNIQUE INDEX nicks ON users (nick COLLATE NOCASE);
      CREATE TABLE tags (tag TEXT COLLATE NOCASE PRIMARY KEY, n INTEGER) WITHOUT ROWID;
      CREATE TABLE tagged (id INTEGER PRIMARY KEY, tag TEXT REFERENCES tags(tag), email TEXT REFERENCES users(email));
      INSERT INTO users VALUES (1, 'Ann@x.org', 'Ann'), (2, 'ÉMILE', 'É'), (3, 'émile', 'é');
      INSERT INTO tags VALUES ('Red', 1), ('b', 2);
      INSERT INTO tagged VALUES (1, 'Red', 'Ann@x.org'), (2, 'RED', NULL);`)
    expect(listed).toEqual(['collation tags.tag', 'collation users.email'])
    expect(await refused(trap, `INSERT INTO users VALUES (4, 'ANN@X.ORG', 'x')`)).toBe('23505')
    expect(await refused(trap, `INSERT INTO users VALUES (5, 'y', 'ANN')`)).toBe('23505')
    expect(await refused(trap, `INSERT INTO users VALUES (5, 'y', 'ROOT')`)).toBe('23514')
    expect(await refused(trap, `INSERT INTO tags VALUES ('RED', 3)`)).toBe('23505')
    expect(await refused(trap, `INSERT INTO tags VALUES ('Red', 3)`)).toBe('23505')
    expect(await refused(trap, `INSERT INTO tags VALUES ('É', 3), ('é', 4)`)).toBe('accepted')
    const keys = await trap.query(
      `SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1`,
    )
    expect(keys).toEqual([
      { conname: 'tagged_email_fkey', convalidated: true },
      { conname: 'tagged_tag_fkey', convalidated: false },
    ])
    expect(report.validation.checks.find((check) => check.id === 'target-keys')?.detail).toContain(
      '1 rows without their parent',
    )
  })

  it('RTRIM: as unique as before', async () => {
    const { listed } = await trap.run(
      `CREATE TABLE r (a TEXT COLLATE RTRIM UNIQUE); INSERT INTO r VALUES ('a '), ('b');`,
    )
    expect(listed).toEqual(['collation r.a'])
    expect(await refused(trap, `INSERT INTO r VALUES ('a')`)).toBe('23505')
  })
})
