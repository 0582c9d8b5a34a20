import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { preflight, startRun } from '../runs/client'
import { expectRows, noPostgres, openTrap, refused } from './trap'

/** What better-sqlite3 itself won't take, but reads in files that others made. */
function rewriteSchema(file: string, ...changes: [from: string, to: string][]): void {
  const db = new Database(file)
  db.unsafeMode(true)
  db.pragma('writable_schema = ON')
  for (const [from, to] of changes)
    db.prepare('UPDATE sqlite_schema SET sql = replace(sql, ?, ?)').run(from, to)
  db.close()
}

describe.skipIf(noPostgres)('the trap of', () => {
  const trap = openTrap()

  it('WITHOUT ROWID: composite and descending keys, read in the order of the key', async () => {
    const { file, table } = await trap.run(`
      CREATE TABLE w (a TEXT, b INTEGER, v REAL, PRIMARY KEY (a, b DESC)) WITHOUT ROWID;
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO w SELECT 'k' || (i % 7), i, i / 4.0 FROM n;`)
    expect(table('w').primaryKey?.columns).toEqual(['a', 'b'])
    await expectRows(trap, file, ['w'])
  })

  it('STRICT with ANY: typed columns as declared, ANY by its rows', async () => {
    const { file, table } = await trap.run(`
      CREATE TABLE s (id INTEGER PRIMARY KEY, i INT, r REAL, t TEXT, b BLOB, a ANY, n ANY) STRICT;
      INSERT INTO s VALUES (1, 2, 3.5, 'x', x'00', 'text', 1), (2, NULL, 0.25, '', x'', 'more', 2);`)
    expect(table('s').columns.map((column) => column.type)).toEqual([
      'bigint',
      expect.stringMatching(/integer|bigint/),
      'double precision',
      'text',
      'bytea',
      'text',
      expect.stringMatching(/integer|bigint/),
    ])
    await expectRows(trap, file, ['s'])
  })

  it('typeless columns and invented types: by what the rows hold', async () => {
    const { file, table } = await trap.run(`
      CREATE TABLE i (id INTEGER PRIMARY KEY, untyped, sub BLOB SUB_TYPE TEXT, dec DECIMAL(4,2), nv NVARCHAR(160), big UNSIGNED BIG INT, dbl DOUBLE PRECISION, odd "my own type");
      INSERT INTO i VALUES (1, 'u', 'text in a blob', 12.5, 'n', 4000000000, 1.5, 'x'), (2, 'v', 'more', 0.25, 'm', 1, 2.5, 'y');`)
    expect(table('i').columns.map((column) => column.type)).toEqual([
      'bigint',
      'text',
      'text',
      'numeric(4,2)',
      'text',
      'bigint',
      'double precision',
      'text',
    ])
    await expectRows(trap, file, ['i'])
  })

  it('composite, self-referential and circular foreign keys, to unique columns that are no key, left implicit, deferred', async () => {
    const { listed } = await trap.run(`
      PRAGMA foreign_keys = OFF;
      CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER REFERENCES b DEFERRABLE INITIALLY DEFERRED);
      CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a(id) MATCH SIMPLE ON DELETE SET NULL ON UPDATE CASCADE);
      CREATE TABLE tree (id INTEGER PRIMARY KEY, up INTEGER DEFAULT 1 REFERENCES tree ON DELETE SET DEFAULT DEFERRABLE);
      CREATE TABLE pair (x INTEGER, y TEXT, z TEXT, UNIQUE (y, x));
      CREATE TABLE leaf (id INTEGER PRIMARY KEY, x INTEGER, y TEXT, FOREIGN KEY (x, y) REFERENCES pair (x, y) ON DELETE RESTRICT);
      INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1); INSERT INTO tree VALUES (1, 1), (2, 1);
      INSERT INTO pair VALUES (1, 'p', 'q'); INSERT INTO leaf VALUES (1, 1, 'p'), (2, NULL, 'gone');`)
    expect(listed).toEqual([])
    const keys = await trap.query(
      `SELECT conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) AS d, convalidated AS v FROM pg_constraint WHERE contype = 'f' ORDER BY 1`,
    )
    expect(keys).toEqual([
      { d: 'a FOREIGN KEY (b_id) REFERENCES b(id) DEFERRABLE INITIALLY DEFERRED', v: true },
      { d: 'b FOREIGN KEY (a_id) REFERENCES a(id) ON UPDATE CASCADE ON DELETE SET NULL', v: true },
      { d: 'leaf FOREIGN KEY (x, y) REFERENCES pair(x, y) ON DELETE RESTRICT', v: true },
      { d: 'tree FOREIGN KEY (up) REFERENCES tree(id) ON DELETE SET DEFAULT DEFERRABLE', v: true },
    ])
  })

  it('orphaned rows: all rows arrive, the key is NOT VALID, amber, and holds for new rows', async () => {
    const { file, report } = await trap.run(`
      PRAGMA foreign_keys = OFF; CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p);
      INSERT INTO c VALUES (1, 7), (2, NULL);`)
    await expectRows(trap, file, ['c'])
    expect(report.validation.checks.find((check) => check.id === 'target-keys')?.state).toBe('amber')
    expect(await refused(trap, 'INSERT INTO c VALUES (3, 8)')).toBe('23503')
  })

  it('foreign keys to what is not there, or not unique: listed', async () => {
    const { listed } = await trap.run(`
      PRAGMA foreign_keys = OFF; CREATE TABLE p (id INTEGER PRIMARY KEY, v TEXT);
      CREATE TABLE c (id INTEGER PRIMARY KEY, gone INTEGER REFERENCES nowhere(id), v TEXT REFERENCES p(v), t TEXT REFERENCES p(id));`)
    expect(listed).toEqual([
      'foreign key c (gone) → nowhere',
      'foreign key c (t) → p',
      'foreign key c (v) → p',
    ])
  })

  it('double-quoted string literals: texts where no column has the name', async () => {
    const file = trap.bench.file(`
      CREATE TABLE q (id INTEGER PRIMARY KEY, state TEXT DEFAULT 'x' CHECK (state IN ('x', 'closed')));
      CREATE INDEX open ON q (id) WHERE state = 'x';
      INSERT INTO q VALUES (1, 'x');`)
    rewriteSchema(file, [`'x'`, '"x"'], [`'closed'`, '"closed"'])
    const { table } = await trap.runFile(file)
    expect(table('q').checks?.[0]?.sql).toContain('"closed"')
    expect(table('q').columns[1]?.default).toBe("'x'")
    expect(table('q').indexes[0]?.where).toBe(`("state" = 'x')`)
    expect(await refused(trap, `INSERT INTO q (state) VALUES ('other')`)).toBe('23514')
  })

  it('AUTOINCREMENT and without: the sequence goes on after the last id ever given, or the greatest', async () => {
    await trap.run(`
      CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT); INSERT INTO s VALUES (500, 'a'); DELETE FROM s;
      CREATE TABLE p (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO p VALUES (41, 'a');`)
    expect(await trap.query(`INSERT INTO s (v) VALUES ('n') RETURNING id`)).toEqual([{ id: '501' }])
    expect(await trap.query(`INSERT INTO p (v) VALUES ('n') RETURNING id`)).toEqual([{ id: '42' }])
  })

  it('empty tables, and sqlite_stat, which is PostgreSQL’s own matter', async () => {
    const { plan, listed } = await trap.run(`
      CREATE TABLE e (id INTEGER PRIMARY KEY, day DATE, n NUMERIC, x); CREATE TABLE f (a TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO f VALUES ('a'); CREATE INDEX ie ON f (a DESC); ANALYZE;`)
    expect(plan.tables.map((table) => table.source)).toEqual(['e', 'f'])
    expect(listed).toEqual([])
    expect(await trap.query(`SELECT count(*)::int AS n FROM e`)).toEqual([{ n: 0 }])
  })

  it('a write-ahead log that is present: its rows arrive', async () => {
    const file = trap.bench.file(
      'PRAGMA journal_mode = WAL; CREATE TABLE w (id INTEGER PRIMARY KEY, v TEXT);',
    )
    const writer = new Database(file)
    writer.pragma('wal_autocheckpoint = 0')
    writer.exec(`INSERT INTO w VALUES (1, 'in the log')`)
    await trap.runFile(file)
    writer.close()
    expect(await trap.query('SELECT v FROM w')).toEqual([{ v: 'in the log' }])
  })

  it('attached files: the file that is named, and nothing of others', async () => {
    const other = trap.bench.file('CREATE TABLE elsewhere (id INTEGER PRIMARY KEY)')
    const file = trap.bench.file('CREATE TABLE here (id INTEGER PRIMARY KEY)')
    const writer = new Database(file)
    writer.exec(
      `ATTACH '${other}' AS other; INSERT INTO here VALUES (1); INSERT INTO other.elsewhere VALUES (1)`,
    )
    const { plan } = await trap.runFile(file)
    writer.close()
    expect(plan.tables.map((table) => table.source)).toEqual(['here'])
  })

  it('1,000+ columns: carried; more than PostgreSQL’s 1,600: red before anything is written', {
    timeout: 120_000,
  }, async () => {
    const columns = (count: number) => Array.from({ length: count }, (_, i) => `c${i} INTEGER`).join(', ')
    const { file } = await trap.run(
      `CREATE TABLE wide (${columns(1200)}); INSERT INTO wide (c0, c1199) VALUES (1, 2), (3, 4);`,
    )
    await expectRows(trap, file, ['wide'])
    const full = Array.from({ length: 1200 }, (_, i) => i).join(', ')
    const heavy = trap.bench.file(`CREATE TABLE heavy (${columns(1200)}); INSERT INTO heavy VALUES (${full})`)
    const end = await startRun(trap.bench.job(heavy)).ended
    expect(end).toMatchObject({
      state: 'failed',
      failure: { code: 'TARGET_MISMATCH', message: expect.stringContaining('heavy') },
    })
    const wider = trap.bench.file(`CREATE TABLE wider (${columns(1700)})`)
    const checks = await preflight(trap.bench.job(wider))
    expect(checks.find((check) => check.id === 'target-columns')).toMatchObject({
      state: 'red',
      detail: expect.stringContaining('wider has 1,700 columns'),
    })
  })

  it('ON CONFLICT clauses of constraints: the constraint is carried, and what it did else is listed with its SQL', async () => {
    const { plan, listed } = await trap.run(
      `CREATE TABLE o (id INTEGER PRIMARY KEY, v TEXT UNIQUE ON CONFLICT REPLACE); INSERT INTO o VALUES (1, 'a')`,
    )
    expect(listed).toEqual(['conflict clause o'])
    expect(plan.notCarried[0]?.sql).toBe('v TEXT UNIQUE ON CONFLICT REPLACE')
    expect(await refused(trap, `INSERT INTO o (v) VALUES ('a')`)).toBe('23505')
  })

  it('an application’s own collation: rows arrive, and what it decided is listed', async () => {
    const file = trap.bench.file(`
      CREATE TABLE k (id INTEGER PRIMARY KEY, v TEXT, w TEXT); INSERT INTO k VALUES (1, 'b', 'x'), (2, 'a', 'y');
      CREATE UNIQUE INDEX kv ON k (v);`)
    rewriteSchema(file, ['v TEXT', 'v TEXT COLLATE german'])
    const { listed } = await trap.runFile(file)
    expect(listed).toEqual(['collation k.v', 'collation kv'])
    await expectRows(trap, file, ['k'])
  })
})
