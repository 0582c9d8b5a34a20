import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { makeLibrary } from '@/db/testing/library'
import { cancelRun, makePlan, preflight, resumeRun, startRun, validate } from '../runs/client'
import { type Bench, bothSides, fingerprint, openBench, recorder } from '../testing/target'
import type { Job, Plan, RunEvent, RunReport } from '../types'

const engine = inject('postgres')

describe.skipIf(!engine)('a migration', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await openBench(engine as NonNullable<typeof engine>)
  })
  afterEach(() => bench.close())

  async function migrate(job: Job): Promise<RunReport> {
    const end = await startRun(job).ended
    if (end.state !== 'done') throw new Error(JSON.stringify(end))
    return end.report
  }

  async function expectEqual(file: string, tables: string[], schema = 'public') {
    for (const table of tables) {
      const { source, target } = await bothSides(file, bench.client, table, schema)
      expect(target.length, table).toBe(source.length)
      expect(target, table).toEqual(source)
    }
  }

  const types = (plan: Plan, table: string) =>
    Object.fromEntries(
      plan.tables.find((one) => one.source === table)?.columns.map((c) => [c.source, c.type]) ?? [],
    )

  const query = async (sql: string) => (await bench.client.query(sql)).rows

  /** One table of about 110 MB: a run takes long enough to be caught in the middle. */
  const wide = () =>
    bench.file(`CREATE TABLE big (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, c REAL);
      CREATE TABLE pairs (a TEXT, b INTEGER, v TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
      INSERT INTO big SELECT i, printf('%01800d', i), i * 7, i / 3.0 FROM n;
      INSERT INTO pairs SELECT 'k' || (id % 1000), id, substr(a, -350) FROM big WHERE id <= 20000;`)

  /** Some rows of the transfer are committed and some are not. */
  const midway = (event: RunEvent) =>
    event.type === 'progress' &&
    event.phase === 'transfer' &&
    event.tables.some((table) => table.written > 0) &&
    event.tables.some((table) => table.written < table.rowsTotal)

  describe('of a library of six related tables', () => {
    it('carries every row, key, index, default and sequence', async () => {
      const file = join(dirname(bench.file('SELECT 1')), 'library.db')
      const counts = makeLibrary(file, 20_000)
      const report = await migrate(bench.job(file))
      expect(report.validation.ok).toBe(true)
      expect(report.validation.tables).toHaveLength(6)
      expect(report.rows).toBe(Object.values(counts).reduce((a, b) => a + b, 0))
      await expectEqual(file, Object.keys(counts))

      expect(types(report.plan, 'authors')).toEqual({
        id: 'bigint',
        name: 'text',
        email: 'text',
        manager_id: 'bigint',
        born: 'date',
        active: 'boolean',
      })
      expect(types(report.plan, 'books')).toMatchObject({
        price: 'numeric(8,2)',
        weight: 'double precision',
        cover: 'bytea',
        created_at: 'timestamp without time zone',
      })
      const authors = counts.authors as number
      const [author] = await query(
        `INSERT INTO authors (name, email) VALUES ('new', 'new@example.org') RETURNING id, active`,
      )
      expect(author).toEqual({ id: String(authors + 6), active: true })
      const keys = await query(
        `SELECT conname, confdeltype, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1`,
      )
      expect(keys).toHaveLength(6)
      expect(keys.every((key) => key.convalidated)).toBe(true)
      expect(keys).toContainEqual({
        conname: 'authors_manager_id_fkey',
        confdeltype: 'n',
        convalidated: true,
      })
      const indexes = (await query(`SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'`)).map(
        (row) => row.indexdef,
      )
      expect(indexes).toContain(
        'CREATE INDEX loans_open ON public.loans USING btree (book_id) WHERE (returned IS NULL)',
      )
      expect(indexes).toContain(
        'CREATE INDEX books_author ON public.books USING btree (author_id, created_at DESC)',
      )
      expect(indexes).toContain('CREATE UNIQUE INDEX authors_email_key ON public.authors USING btree (email)')
      expect(await query(`SELECT 1 FROM pg_namespace WHERE nspname = 'holdfast_migration'`)).toEqual([])
    })
  })

  describe('of values', () => {
    it('keeps integers, doubles, texts and blobs exactly', async () => {
      const file = bench.file(
        `CREATE TABLE v (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, b BLOB, untyped, n NUMERIC, dec DECIMAL(10,2));`,
        (db) => {
          const insert = db.prepare(
            'INSERT INTO v (i, r, t, b, untyped, n, dec) VALUES (?, ?, ?, ?, ?, ?, ?)',
          )
          const integers = [
            0n,
            -1n,
            2n ** 53n + 1n,
            -(2n ** 53n) - 1n,
            2n ** 63n - 1n,
            -(2n ** 63n),
            2n ** 31n,
            null,
          ]
          const reals = [
            0.1,
            0.1 + 0.2,
            1 / 3,
            16777217,
            5e-324,
            1.7976931348623157e308,
            Infinity,
            -Infinity,
            1e22,
            -0.001953124,
            2 ** 53,
            123456789.12345679,
            null,
          ]
          const texts = [
            '',
            null,
            'tab\t',
            'a\nb',
            'c\rd',
            '\\',
            '\\N',
            '\\.',
            'it\'s "q"',
            '\x1f',
            '\x01',
            '\x02',
            'é ß 東京 👩‍👩‍👧',
            ' lead',
            'trail ',
            '\\x41',
            'NULL',
            '\\\\n',
          ]
          const blobs = [Buffer.alloc(0), Buffer.from([0, 1, 255, 92, 10]), null]
          const untyped = [0.5, -0, 1.5e300, -2.25]
          for (let i = 0; i < 72; i++) {
            insert.run(
              integers[i % integers.length],
              reals[i % reals.length],
              texts[i % texts.length],
              blobs[i % blobs.length],
              untyped[i % untyped.length],
              i % 3 ? i : i / 4,
              (i * 37) / 100,
            )
          }
        },
      )
      const report = await migrate(bench.job(file))
      expect(types(report.plan, 'v')).toEqual({
        id: 'bigint',
        i: 'bigint',
        r: 'double precision',
        t: 'text',
        b: 'bytea',
        untyped: 'double precision',
        n: 'numeric',
        dec: 'numeric(10,2)',
      })
      await expectEqual(file, ['v'])
      expect(report.validation.ok).toBe(true)
    })

    it('widens a column whose rows disagree with its declaration, and says so', async () => {
      const file = bench.file(`
        CREATE TABLE m (id INTEGER PRIMARY KEY, number INTEGER, flag BOOLEAN, day DATE, at DATETIME, mixed BLOB, real REAL, iso TIMESTAMP, py DATETIME);
        INSERT INTO m VALUES (1, 1, 1, '2024-02-29', '2024-01-02 03:04:05', x'00ff', 1.5, '2024-01-02T03:04:05.678Z', '2024-01-02 03:04:05.123456');
        INSERT INTO m VALUES (2, 'two', 2, '2023-02-29', '0000-00-00', 'text', 'x', '1999-12-31T23:59:59.000Z', '0001-01-01 00:00:00.000000');
        INSERT INTO m VALUES (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);`)
      const report = await migrate(bench.job(file))
      expect(types(report.plan, 'm')).toEqual({
        id: 'bigint',
        number: 'text',
        flag: 'bigint',
        day: 'text',
        at: 'text',
        mixed: 'bytea',
        real: 'text',
        iso: 'timestamp with time zone',
        py: 'timestamp without time zone',
      })
      const notes = report.plan.tables[0]?.columns
        .filter((column) => column.note)
        .map((column) => column.source)
      expect(notes).toEqual(['number', 'flag', 'day', 'at', 'mixed', 'real'])
      expect(await query('SELECT number, flag, day, at, real FROM m ORDER BY id')).toEqual([
        { number: '1', flag: '1', day: '2024-02-29', at: '2024-01-02 03:04:05', real: '1.5' },
        { number: 'two', flag: '2', day: '2023-02-29', at: '0000-00-00', real: 'x' },
        { number: null, flag: null, day: null, at: null, real: null },
      ])
      expect(await query(`SELECT encode(mixed, 'hex') AS mixed FROM m ORDER BY id`)).toEqual([
        { mixed: '00ff' },
        { mixed: '74657874' },
        { mixed: null },
      ])
      expect(report.validation.ok).toBe(true)
    })

    it('reads a database in UTF-16, and empty tables', async () => {
      const file = bench.file(`
        PRAGMA encoding = 'UTF-16le';
        CREATE TABLE u (id INTEGER PRIMARY KEY, t TEXT, b BLOB); CREATE TABLE k (t TEXT PRIMARY KEY, v INTEGER) WITHOUT ROWID;
        CREATE TABLE none (id INTEGER PRIMARY KEY, day DATE, n NUMERIC, x);
        INSERT INTO u VALUES (1, 'é 東京 🚀', x'00ff'), (2, NULL, NULL), (3, '', x''), (4, 'a' || char(10) || 'b', NULL);
        INSERT INTO k VALUES ('ключ', 1), ('b', 2);`)
      const report = await migrate(bench.job(file))
      expect(report.source.encoding).toBe('UTF-16le')
      expect(report.validation.ok).toBe(true)
      await expectEqual(file, ['u', 'k', 'none'])
      await query(`UPDATE u SET t = 'é' WHERE id = 1`)
      const again = await validate({ ...bench.job(file), plan: report.plan })
      expect(again.tables.map((table) => [table.table, table.ok])).toEqual([
        ['u', false],
        ['k', true],
        ['none', true],
      ])
    })

    it('gives awkward names, and names that collide when cut, to tables, columns and indexes', async () => {
      const long = 'l'.repeat(63)
      const file = bench.file(`
        CREATE TABLE "select from" ("order" INTEGER PRIMARY KEY, "a ""quoted"" one" TEXT, "Ünïcode 🚀" TEXT, "CamelCase" TEXT);
        INSERT INTO "select from" VALUES (1, 'x', 'y', 'z');
        CREATE INDEX "index of it" ON "select from" ("a ""quoted"" one");
        CREATE TABLE "${long}one" (id INTEGER PRIMARY KEY, "${long}a" TEXT, "${long}b" TEXT);
        CREATE TABLE "${long}two" (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES "${long}one"(id));
        INSERT INTO "${long}one" VALUES (1, 'first', 'second');
        INSERT INTO "${long}two" VALUES (7, 1);
        CREATE TABLE rowid_taken (rowid TEXT, v INTEGER);
        INSERT INTO rowid_taken VALUES ('r', 1), ('s', 2);`)
      const report = await migrate(bench.job(file))
      expect(report.validation.ok).toBe(true)
      await expectEqual(file, ['select from', 'rowid_taken'])
      const [one, two] = ['one', 'two'].map((end) =>
        report.plan.tables.find((table) => table.source === `${long}${end}`),
      )
      expect(one?.target).not.toBe(two?.target)
      expect(Buffer.byteLength(one?.target ?? '')).toBeLessThanOrEqual(63)
      expect(Object.values((await query(`SELECT * FROM "${one?.target}"`))[0])).toEqual([
        '1',
        'first',
        'second',
      ])
      expect((await query(`SELECT parent FROM "${two?.target}"`))[0]).toEqual({ parent: '1' })
    })
  })

  describe('of keys', () => {
    it('carries composite, circular, self-referential, implicit and deferred foreign keys with their actions', async () => {
      const file = bench.file(`
        PRAGMA foreign_keys = OFF;
        CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER REFERENCES b(id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a ON DELETE CASCADE ON UPDATE SET NULL);
        CREATE TABLE tree (id INTEGER PRIMARY KEY, up INTEGER REFERENCES tree(id) ON DELETE SET NULL);
        CREATE TABLE pair (x INTEGER, y TEXT, PRIMARY KEY (x, y)) WITHOUT ROWID;
        CREATE TABLE leaf (id INTEGER PRIMARY KEY, x INTEGER, y TEXT, FOREIGN KEY (x, y) REFERENCES pair (x, y) ON UPDATE CASCADE);
        CREATE TABLE code (code TEXT UNIQUE, label TEXT);
        CREATE TABLE uses (id INTEGER PRIMARY KEY, code TEXT REFERENCES code(code));
        INSERT INTO a VALUES (1, 2), (2, 1); INSERT INTO b VALUES (1, 2), (2, 1);
        INSERT INTO tree VALUES (1, 9), (2, 1), (9, NULL);
        INSERT INTO pair VALUES (1, 'one'), (1, 'two'); INSERT INTO leaf VALUES (1, 1, 'two'), (2, NULL, NULL);
        INSERT INTO code VALUES ('x', NULL), (NULL, 'p'), (NULL, 'q'); INSERT INTO uses VALUES (1, 'x');`)
      const report = await migrate(bench.job(file))
      expect(report.validation).toMatchObject({ ok: true })
      const keys = await query(
        `SELECT conrelid::regclass::text AS "table", pg_get_constraintdef(oid) AS definition, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1`,
      )
      expect(keys).toEqual([
        {
          table: 'a',
          definition: 'FOREIGN KEY (b_id) REFERENCES b(id) DEFERRABLE INITIALLY DEFERRED',
          convalidated: true,
        },
        {
          table: 'b',
          definition: 'FOREIGN KEY (a_id) REFERENCES a(id) ON UPDATE SET NULL ON DELETE CASCADE',
          convalidated: true,
        },
        {
          table: 'leaf',
          definition: 'FOREIGN KEY (x, y) REFERENCES pair(x, y) ON UPDATE CASCADE',
          convalidated: true,
        },
        {
          table: 'tree',
          definition: 'FOREIGN KEY (up) REFERENCES tree(id) ON DELETE SET NULL',
          convalidated: true,
        },
        { table: 'uses', definition: 'FOREIGN KEY (code) REFERENCES code(code)', convalidated: true },
      ])
      await expectEqual(file, ['a', 'b', 'tree', 'pair', 'leaf', 'code', 'uses'])
    })

    it('adds a key with orphaned rows NOT VALID, and says how many there are', async () => {
      const file = bench.file(`
        PRAGMA foreign_keys = OFF;
        CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (id INTEGER PRIMARY KEY, good INTEGER REFERENCES parent(id), lost INTEGER REFERENCES parent(id));
        INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1, 5), (2, 1, 6), (3, NULL, 1);`)
      const checks = await preflight(bench.job(file))
      expect(checks.find((check) => check.id === 'source-foreign-keys')).toMatchObject({ state: 'amber' })
      const report = await migrate(bench.job(file))
      expect(report.validation.ok).toBe(true)
      expect(report.validation.checks.find((check) => check.id === 'target-keys')).toMatchObject({
        state: 'amber',
      })
      const keys = await query(
        `SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1`,
      )
      expect(keys).toEqual([
        { conname: 'child_good_fkey', convalidated: true },
        { conname: 'child_lost_fkey', convalidated: false },
      ])
    })

    it('goes on with a sequence past ids that were given out and are gone', async () => {
      const file = bench.file(`
        CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT);
        INSERT INTO s VALUES (100, 'a'), (500, 'b'); DELETE FROM s WHERE id = 500;
        CREATE TABLE plain (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO plain VALUES (-5, 'x'), (41, 'y');
        CREATE TABLE blank (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT);
        CREATE TABLE below (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO below VALUES (-7, 'z');`)
      expect((await migrate(bench.job(file))).validation.ok).toBe(true)
      const next = async (table: string) =>
        (await query(`INSERT INTO ${table} (v) VALUES ('n') RETURNING id`))[0].id
      expect([await next('s'), await next('plain'), await next('blank'), await next('below')]).toEqual([
        '501',
        '42',
        '1',
        '1',
      ])
    })

    it('translates plain defaults and predicates and lists what it does not carry', async () => {
      const file = bench.file(`
        CREATE TABLE d (id INTEGER PRIMARY KEY, n INTEGER DEFAULT 7, neg REAL DEFAULT -1.5, t TEXT DEFAULT 'it''s', e TEXT DEFAULT '',
          f BOOLEAN NOT NULL DEFAULT FALSE, at DATETIME DEFAULT CURRENT_TIMESTAMP, txt TEXT DEFAULT (datetime('now')), day DATE DEFAULT current_date,
          x BLOB DEFAULT x'00ff', odd TEXT DEFAULT (lower(hex(randomblob(4)))), num TEXT DEFAULT 5, c INTEGER CHECK (c > 0), g INTEGER GENERATED ALWAYS AS (n * 2) STORED);
        INSERT INTO d (f, at, day) VALUES (1, '2024-01-01 00:00:00', '2024-01-01');
        CREATE UNIQUE INDEX one_default ON d (t) WHERE f = 1 AND (n > 3 OR t <> 'x');
        CREATE INDEX by_lower ON d (lower(t));
        CREATE INDEX strange ON d (n) WHERE length(t) > 3;
        CREATE TABLE nocase (k TEXT COLLATE NOCASE);
        CREATE VIEW v AS SELECT id FROM d;
        CREATE TRIGGER tr AFTER INSERT ON d BEGIN SELECT 1; END;
        CREATE VIRTUAL TABLE words USING fts5(body);`)
      const report = await migrate(bench.job(file))
      const listed = report.notCarried.map((item) => `${item.kind} ${item.name}`).sort()
      expect(listed).toEqual(['collation nocase.k', 'trigger tr', 'virtual table words'])
      const [row] = await query(
        `INSERT INTO d (c) VALUES (1) RETURNING *, at > now() AT TIME ZONE 'UTC' - interval '1 minute' AS recent`,
      )
      expect(row).toMatchObject({
        id: '2',
        n: '7',
        neg: -1.5,
        t: "it's",
        e: '',
        f: false,
        odd: expect.stringMatching(/^[0-9a-f]{8}$/),
        num: '5',
        recent: true,
      })
      expect(row.txt).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
      const [index] = await query(`SELECT indexdef FROM pg_indexes WHERE indexname = 'one_default'`)
      expect(index.indexdef).toContain(`WHERE ((f = true) AND ((n > 3) OR (t <> 'x'::text)))`)
      expect((await query(`SELECT g FROM d WHERE id = 1`))[0]).toEqual({ g: '14' })
    })
  })

  describe('that is interrupted', { timeout: 120_000 }, () => {
    it('resumes after kill -9 of its worker, again and again, with every row once', async () => {
      const file = wide()
      const job = bench.job(file)
      const first = recorder(midway, () => process.kill(handle.pid, 'SIGKILL'))
      const handle = startRun(job, { onEvent: first.onEvent })
      expect(await handle.ended).toMatchObject({
        state: 'failed',
        failure: { code: 'WORKER_LOST', resumable: true },
      })
      expect(first.called).toBe(true)

      const building = recorder(
        (event) => event.type === 'phase' && event.phase === 'build' && event.state === 'started',
        () => process.kill(again.pid, 'SIGKILL'),
      )
      const again = resumeRun(job, { onEvent: building.onEvent })
      expect((await again.ended).state).toBe('failed')
      const resumedAt = building.events.find((event) => event.type === 'progress') as Extract<
        RunEvent,
        { type: 'progress' }
      >
      expect(resumedAt.done).toBeGreaterThan(0)

      const end = await resumeRun(job).ended
      expect(end).toMatchObject({ state: 'done', report: { validation: { ok: true }, rows: 80_000 } })
      await expectEqual(file, ['big', 'pairs'])
    })

    it('gives the report again when the worker died before it was kept', async () => {
      const file = bench.file('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)')
      const job = bench.job(file)
      const handle = startRun(job, {
        onEvent: (event) => {
          if (event.type === 'done') process.kill(handle.pid, 'SIGKILL')
        },
      })
      expect((await handle.ended).state).toBe('done')
      const end = await resumeRun(job).ended
      expect(end).toMatchObject({ state: 'done', report: { runId: job.runId, rows: 1 } })
      expect(await query(`SELECT 1 FROM pg_namespace WHERE nspname = 'holdfast_migration'`)).toEqual([])
      expect(await resumeRun(job).ended).toMatchObject({ state: 'failed', failure: { code: 'RUN_UNKNOWN' } })
    })

    it('stops at a committed batch when its parent goes, pauses, goes on, and never goes back', async () => {
      const file = wide()
      const job = bench.job(file)
      const seen = recorder(midway, () => handle.stop())
      const handle = startRun(job, { onEvent: seen.onEvent })
      expect((await handle.ended).state).toBe('stopped')
      const [kept] = await query(
        `SELECT sum(rows)::int AS rows FROM holdfast_migration.part WHERE table_name = 'big'`,
      )
      expect((await query('SELECT count(*)::int AS rows FROM big'))[0]).toEqual(kept)

      const paused = recorder(midway, () => second.pause())
      const second = resumeRun(job, {
        onEvent: async (event) => {
          paused.onEvent(event)
          if (event.type !== 'paused') return
          const [at] = await query('SELECT count(*)::int AS rows FROM big')
          expect(at.rows).toBeGreaterThanOrEqual(kept.rows)
          second.continue()
        },
      })
      expect((await second.ended).state).toBe('done')
      const kinds = paused.events.map((event) => event.type)
      expect(kinds.indexOf('resumed')).toBeGreaterThan(kinds.indexOf('paused'))
      expect(kinds).toContain('paused')
      const done = paused.events.flatMap((event) =>
        event.type === 'progress' && event.phase === 'transfer' ? event.done : [],
      )
      expect(done).toEqual([...done].sort((a, b) => a - b))
      await expectEqual(file, ['big', 'pairs'])
    })

    it('lets one worker alone work on a run', async () => {
      const file = wide()
      const job = bench.job(file)
      let paused = () => {}
      const seen = recorder(midway, () => handle.pause())
      const handle = startRun(job, {
        onEvent: (event) => {
          seen.onEvent(event)
          if (event.type === 'paused') paused()
        },
      })
      await new Promise<void>((resolve) => {
        paused = resolve
      })
      const other = await resumeRun(job).ended
      expect(other).toMatchObject({ state: 'failed', failure: { code: 'RUN_ACTIVE' } })
      handle.continue()
      expect((await handle.ended).state).toBe('done')
    })

    it('is cancelled at work, and after its worker died, leaving the target as it was', async () => {
      await query(`CREATE TABLE mine (id serial PRIMARY KEY); INSERT INTO mine DEFAULT VALUES`)
      const before = await fingerprint(bench.client)
      const file = wide()
      const at = bench.job(file, { target: { ...bench.target, schema: 'fresh' } })
      const working = recorder(midway, () => handle.cancel())
      const handle = startRun(at, { onEvent: working.onEvent })
      expect(await handle.ended).toMatchObject({ state: 'cancelled' })
      expect(working.called).toBe(true)
      expect(await fingerprint(bench.client)).toEqual(before)

      const job = bench.job(file)
      const killed = recorder(midway, () => process.kill(dead.pid, 'SIGKILL'))
      const dead = startRun(job, { onEvent: killed.onEvent })
      expect((await dead.ended).state).toBe('failed')
      expect(await fingerprint(bench.client)).not.toEqual(before)
      await cancelRun({ ...job, source: '' })
      expect(await fingerprint(bench.client)).toEqual(before)
    })

    it('reports a source that was written to meanwhile, and stays with its snapshot', async () => {
      const file = wide()
      const db = new Database(file)
      db.pragma('journal_mode = WAL')
      const seen = recorder(
        (event) => event.type === 'phase' && event.phase === 'transfer' && event.state === 'started',
        () => db.prepare(`INSERT INTO big (a) VALUES ('late')`).run(),
      )
      const end = await startRun(bench.job(file), { onEvent: seen.onEvent }).ended
      db.close()
      expect(end).toMatchObject({
        state: 'done',
        report: { rows: 80_000, validation: { ok: true, sourceChanged: true } },
      })
      expect(await query(`SELECT count(*)::int AS n FROM big WHERE a = 'late'`)).toEqual([{ n: 0 }])
    })
  })

  describe('is validated', () => {
    it('and names table, column and row of a value that was tampered with', async () => {
      const file = join(dirname(bench.file('SELECT 1')), 'library.db')
      makeLibrary(file, 6_000)
      const job = bench.job(file)
      const { plan } = await migrate(job)
      expect((await validate({ ...job, plan })).ok).toBe(true)

      await query(`UPDATE books SET weight = 'Infinity' WHERE id = 500`)
      const bad = await validate({ ...job, plan })
      expect(bad.ok).toBe(false)
      expect(bad.tables.filter((table) => !table.ok).map((table) => table.table)).toEqual(['books'])
      const books = bad.tables.find((table) => table.table === 'books')
      expect(books?.columns.filter((column) => !column.ok).map((column) => column.column)).toEqual([
        'weight',
        '(whole rows)',
      ])
      expect(books?.firstDifference).toMatch(/^id = 500, weight: source .* target 'Infinity'$/)

      await query(
        `UPDATE books SET weight = 1, title = title || ' ' WHERE id = 500; UPDATE book_tags SET tag = 'tag-0' WHERE ctid = (SELECT min(ctid) FROM book_tags WHERE tag <> 'tag-0' AND book_id NOT IN (SELECT book_id FROM book_tags WHERE tag = 'tag-0'))`,
      )
      await query(`DELETE FROM loans WHERE ctid = (SELECT min(ctid) FROM loans)`)
      const worse = await validate({ ...job, plan })
      expect(
        worse.tables
          .filter((table) => !table.ok)
          .map((table) => table.table)
          .sort(),
      ).toEqual(['book_tags', 'books', 'loans'])
      const loans = worse.tables.find((table) => table.table === 'loans')
      expect(loans?.sourceRows).toBe((loans?.targetRows ?? 0) + 1)
      expect(loans?.firstDifference).toContain('not in the target')
    })
  })

  describe('into tables that exist', () => {
    const tables = `
      CREATE TABLE users (id text PRIMARY KEY, active boolean NOT NULL, profile jsonb, made_at bigint NOT NULL, boss text REFERENCES users(id));
      CREATE TABLE events (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE, n integer, score double precision, extra jsonb);`
    const source = (extra = '') =>
      bench.file(`
      CREATE TABLE users (id TEXT PRIMARY KEY, active INTEGER NOT NULL, profile TEXT, made_at INTEGER NOT NULL, boss TEXT);
      CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, n INTEGER, score REAL, extra TEXT);
      CREATE TABLE migrations_done (id INTEGER PRIMARY KEY);
      INSERT INTO users VALUES ('a', 1, '{"z":1, "name":"Zoë\\n", "list":[1,2.50,1e3,null]}', 1700000000000, 'c'), ('b', 0, NULL, 1, NULL), ('c', 1, '[]', 2, 'a');
      INSERT INTO events (user_id, n, score, extra) VALUES ('c', 1, 0.1, '{"b": 1e2, "a":[ ]}'), ('a', NULL, 2, NULL), ('b', -5, NULL, '"x"');
      ${extra}`)
    const existing = (file: string) => bench.job(file, { mode: 'existing', exclude: ['migrations_done'] })

    it('takes types from the catalogue and puts foreign keys back', async () => {
      await query(tables)
      const before = (await fingerprint(bench.client)).filter((line) => /^(relation|constraint)/.test(line))
      const report = await migrate(existing(source()))
      expect(report.validation.ok).toBe(true)
      expect(await query('SELECT * FROM users ORDER BY id')).toEqual([
        {
          id: 'a',
          active: true,
          profile: { z: 1, name: 'Zoë\n', list: [1, 2.5, 1000, null] },
          made_at: '1700000000000',
          boss: 'c',
        },
        { id: 'b', active: false, profile: null, made_at: '1', boss: null },
        { id: 'c', active: true, profile: [], made_at: '2', boss: 'a' },
      ])
      expect(await query(`INSERT INTO events (user_id) VALUES ('a') RETURNING id`)).toEqual([{ id: '4' }])
      expect((await fingerprint(bench.client)).filter((line) => /^(relation|constraint)/.test(line))).toEqual(
        before,
      )
    })

    it('refuses values and types that do not fit before anything is written', async () => {
      await query(`${tables} ALTER TABLE events ALTER COLUMN score TYPE money USING 0`)
      const before = await fingerprint(bench.client)
      const file = source(`INSERT INTO users VALUES ('d', 2, 'x', 3, NULL)`)
      await expect(makePlan(existing(file))).rejects.toMatchObject({
        code: 'TARGET_MISMATCH',
        message: expect.stringMatching(/users\.active \(boolean\).*events\.score \(money\)/),
      })
      expect(await startRun(existing(file)).ended).toMatchObject({
        state: 'failed',
        failure: { code: 'TARGET_MISMATCH', resumable: false },
      })
      expect(await fingerprint(bench.client)).toEqual(before)
    })

    it('refuses tables that hold rows', async () => {
      await query(`${tables} INSERT INTO users VALUES ('x', true, NULL, 1, NULL)`)
      expect(await startRun(existing(source())).ended).toMatchObject({
        state: 'failed',
        failure: { code: 'PREFLIGHT_RED' },
      })
      expect(await query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 1 }])
    })

    it('is cancelled leaving them empty, with their keys and sequences', async () => {
      await query(`CREATE TABLE pairs (a text, b bigint, v text, PRIMARY KEY (a, b));
        CREATE TABLE big (id bigserial PRIMARY KEY, a text, b bigint, c double precision, up bigint REFERENCES big(id)); SELECT nextval('big_id_seq'), nextval('big_id_seq')`)
      const before = await fingerprint(bench.client)
      const working = recorder(midway, () => handle.cancel())
      const handle = startRun(bench.job(wide(), { mode: 'existing' }), { onEvent: working.onEvent })
      expect(await handle.ended).toMatchObject({ state: 'cancelled' })
      expect(working.called).toBe(true)
      expect(await fingerprint(bench.client)).toEqual(before)
    })
  })

  describe('is refused', () => {
    const red = async (job: Job) => (await preflight(job)).filter((check) => check.state === 'red')

    it('for a source that is not a readable SQLite database', async () => {
      const folder = dirname(bench.file('SELECT 1'))
      writeFileSync(join(folder, 'text.db'), 'this is not a database at all, only a text')
      writeFileSync(join(folder, 'empty.db'), '')
      mkdirSync(join(folder, 'folder.db'))
      for (const [name, words] of [
        ['text.db', /not a SQLite database/],
        ['empty.db', /is empty/],
        ['folder.db', /is not a file/],
        ['missing.db', /can't be read/],
      ] as const) {
        const [check] = await red(bench.job(join(folder, name)))
        expect(check, name).toMatchObject({
          id: 'source-file',
          detail: expect.stringMatching(words),
          remedy: expect.any(String),
        })
        expect((await startRun(bench.job(join(folder, name))).ended).state).toBe('failed')
      }
    })

    it('for a damaged source', async () => {
      const file = bench.file(`CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i, printf('%050d', i) FROM n`)
      const { readFileSync } = await import('node:fs')
      const bytes = readFileSync(file)
      bytes.fill(0xff, 8192, 12288)
      writeFileSync(file, bytes)
      expect((await red(bench.job(file))).map((check) => check.id)).toContain('source-integrity')
      expect(await startRun(bench.job(file)).ended).toMatchObject({
        state: 'failed',
        failure: { code: 'PREFLIGHT_RED' },
      })
    })

    it('for a target that does not answer, refuses the password, or lacks the database', async () => {
      const file = bench.file('CREATE TABLE t (id INTEGER PRIMARY KEY)')
      const detail = async (change: Partial<Job['target']>) =>
        (await red(bench.job(file, { target: { ...bench.target, ...change } })))[0]
      expect(await detail({ port: 1 })).toMatchObject({
        id: 'target-connection',
        detail: expect.stringMatching(/doesn't answer/),
      })
      expect(await detail({ password: 'wrong' })).toMatchObject({
        detail: expect.stringMatching(/refused user/),
      })
      expect(await detail({ database: 'nowhere' })).toMatchObject({
        remedy: expect.stringMatching(/CREATE DATABASE/),
      })
    })

    it('for tables that are there, and for a role without rights, with the GRANT to run', async () => {
      const file = bench.file('CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); CREATE INDEX idx ON t (v)')
      await query('CREATE TABLE idx (x integer)')
      expect(await red(bench.job(file))).toMatchObject([
        { id: 'target-place', detail: expect.stringContaining('idx') },
      ])
      const role = `poor_${process.pid}`
      await query(`CREATE ROLE ${role} LOGIN PASSWORD 'poor'`)
      try {
        const target = { ...bench.target, user: role, password: 'poor' }
        const [check] = await red(bench.job(file, { target }))
        expect(check).toMatchObject({ id: 'target-rights' })
        expect(check?.remedy).toContain(`GRANT CREATE ON DATABASE "${bench.target.database}" TO "${role}"`)
        const [{ number }] = await query(`SELECT current_setting('server_version_num')::int AS number`)
        if (number >= 150000)
          expect(check?.remedy).toContain(`GRANT USAGE, CREATE ON SCHEMA "public" TO "${role}"`)
        await query(check?.remedy?.replaceAll('; GRANT', ';\nGRANT') ?? '')
        expect((await red(bench.job(file, { target: { ...target, schema: 'other' } }))).length).toBe(0)
      } finally {
        await query(
          `REVOKE ALL ON DATABASE "${bench.target.database}" FROM ${role}; REVOKE ALL ON SCHEMA public FROM ${role}; DROP ROLE ${role}`,
        )
      }
    })

    it('for a target in another encoding', async () => {
      const latin = `${bench.target.database}_latin`
      await query(`CREATE DATABASE ${latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
      try {
        const job = bench.job(bench.file('CREATE TABLE t (id INTEGER PRIMARY KEY)'), {
          target: { ...bench.target, database: latin },
        })
        expect(await red(job)).toMatchObject([
          { id: 'target-encoding', detail: expect.stringContaining('LATIN1') },
        ])
      } finally {
        await query(`DROP DATABASE ${latin} WITH (FORCE)`)
      }
    })
  })
})
