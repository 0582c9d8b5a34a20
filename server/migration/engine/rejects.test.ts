import type Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { makePlan, resumeRun, startRun, validate } from '../runs/client'
import { type Bench, fingerprint, openBench, recorder } from '../testing/target'
import type { Job, Plan, PlannedColumn, RejectedRow, RunEvent, RunReport } from '../types'

const engine = inject('postgres')

describe.skipIf(!engine)('a row that cannot be stored', { timeout: 120_000 }, () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await openBench(engine as NonNullable<typeof engine>)
  })
  afterEach(() => bench.close())

  const query = async (sql: string) => (await bench.client.query(sql)).rows

  /** Runs to the end, and answers what was rejected. */
  async function migrate(
    job: Job,
  ): Promise<{ report: RunReport; rejects: RejectedRow[]; events: RunEvent[] }> {
    const seen = recorder()
    const end = await startRun(job, { onEvent: seen.onEvent }).ended
    if (end.state !== 'done') throw new Error(JSON.stringify(end))
    return { report: end.report, rejects: rejectsOf(seen.events), events: seen.events }
  }

  /** What whoever listens has in the end. */
  function rejectsOf(events: RunEvent[]): RejectedRow[] {
    let kept: RejectedRow[] = []
    for (const event of events)
      if (event.type === 'rejects') kept = event.first ? [...event.rows] : [...kept, ...event.rows]
    expect(new Set(kept.map(({ table, key }) => `${table} ${key}`)).size).toBe(kept.length)
    return kept
  }

  const plain = (rows: RejectedRow[]) => rows.map(({ position: _, ...row }) => row)

  /** The proposed plan with columns other than proposed, as choices make it. */
  async function planWith(job: Job, change: Record<string, Partial<PlannedColumn>>): Promise<Plan> {
    const plan = await makePlan(job)
    for (const table of plan.tables)
      for (const column of table.columns) Object.assign(column, change[`${table.source}.${column.source}`])
    return plan
  }

  it('is listed with table, key, column, value and reason; every other row arrives, and both sides agree', async () => {
    const file = bench.file('CREATE TABLE t (id INTEGER PRIMARY KEY, ok TEXT, bad TEXT)', (db) => {
      const insert = db.prepare('INSERT INTO t VALUES (?, ?, CAST(? AS TEXT))')
      for (let i = 1; i <= 5000; i++) {
        const odd = i === 4321 ? Buffer.from('a\0b') : i === 77 ? Buffer.from([0x66, 0xff, 0xfe]) : 'fine'
        insert.run(i, 'fine', odd)
      }
    })
    const { report, rejects, events } = await migrate(bench.job(file))
    expect(plain(rejects).sort((a, b) => a.key.localeCompare(b.key))).toEqual([
      {
        table: 't',
        key: 'id = 4321',
        column: 'bad',
        value: 'a␀b',
        reason: 'The text holds a NUL character.',
      },
      {
        table: 't',
        key: 'id = 77',
        column: 'bad',
        value: '\\x66fffe',
        reason: 'The text is not valid UTF-8.',
      },
    ])
    expect(report).toMatchObject({ rows: 4998, rejected: 2, validation: { ok: true } })
    expect(report.tables).toMatchObject([
      { table: 't', rowsTotal: 5000, read: 5000, written: 4998, rejected: 2, state: 'done' },
    ])
    expect(await query('SELECT count(*)::int AS n FROM t WHERE id IN (77, 4321)')).toEqual([{ n: 0 }])
    expect(await query('SELECT count(*)::int AS n, min(ok) AS ok FROM t')).toEqual([{ n: 4998, ok: 'fine' }])
    const shown = events.flatMap((event) =>
      event.type === 'progress' && event.phase === 'transfer' ? event.done : [],
    )
    expect(shown).toEqual([...shown].sort((a, b) => a - b))
    expect(await query(`SELECT 1 FROM pg_namespace WHERE nspname = 'holdfast_migration'`)).toEqual([])
  })

  it('is known by the plan, or shown by the server: wrong types, too large numbers, NULL, broken JSON', async () => {
    const file = bench.file(`
      CREATE TABLE t (id INTEGER PRIMARY KEY, n, small DECIMAL, must TEXT, doc TEXT, flag);
      INSERT INTO t VALUES (1, 1, 1, 'x', '{}', 1), (2, 'two', 2, 'x', '[1]', 0), (3, 3, 30000000000, 'x', '1', 1),
        (4, 4, 4, NULL, 'null', 1), (5, 5, 5, 'x', '{"a":', 0), (6, 6, 6, 'x', '{}', 7), (7, 7, 7, 'x', NULL, NULL);`)
    const job = bench.job(file)
    const plan = await planWith(job, {
      't.n': { type: 'bigint', render: 'integer', fits: `"n" IS NULL OR typeof("n") = 'integer'` },
      't.small': { type: 'integer', render: 'integer' },
      't.must': { nullable: false, fits: '"must" IS NOT NULL' },
      't.doc': { type: 'jsonb', render: 'jsonb' },
      't.flag': { type: 'boolean', render: 'boolean' },
    })
    const { report, rejects } = await migrate({ ...job, plan })
    expect(plain(rejects).sort((a, b) => a.key.localeCompare(b.key))).toEqual([
      { table: 't', key: 'id = 2', column: 'n', value: 'two', reason: 'The value does not fit bigint.' },
      {
        table: 't',
        key: 'id = 3',
        column: 'small',
        value: '30000000000',
        reason: expect.stringContaining('out of range for type integer'),
      },
      { table: 't', key: 'id = 4', column: 'must', value: null, reason: expect.stringContaining('NOT NULL') },
      {
        table: 't',
        key: 'id = 5',
        column: 'doc',
        value: '{"a":',
        reason: expect.stringContaining('invalid input syntax for type json'),
      },
      {
        table: 't',
        key: 'id = 6',
        column: 'flag',
        value: '7',
        reason: expect.stringContaining('invalid input syntax for type boolean'),
      },
    ])
    expect(report).toMatchObject({ rows: 2, rejected: 5, validation: { ok: true } })
    expect(await query('SELECT id::int, n::int, flag FROM t ORDER BY 1')).toEqual([
      { id: 1, n: 1, flag: true },
      { id: 7, n: 7, flag: null },
    ])
    expect((await validate({ ...job, plan, rejected: rejects })).ok).toBe(true)
    expect((await validate({ ...job, plan, rejected: rejects.slice(1) })).ok).toBe(false)
  })

  it('breaks a constraint of a table that exists: CHECK, unique', async () => {
    await query(
      `CREATE TABLE t (id bigint PRIMARY KEY, name text CHECK (length(name) < 5), code text UNIQUE)`,
    )
    const file = bench.file(`CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, code TEXT COLLATE BINARY);
      INSERT INTO t VALUES (1, 'one', 'a'), (2, NULL, NULL), (3, 'three', 'c'), (4, 'four', 'a'), (5, 'five', NULL);`)
    const { report, rejects } = await migrate(bench.job(file, { mode: 'existing' }))
    expect(plain(rejects)).toEqual([
      {
        table: 't',
        key: 'id = 3',
        column: null,
        value: null,
        reason: expect.stringContaining('check constraint "t_name_check"'),
      },
      {
        table: 't',
        key: 'id = 4',
        column: null,
        value: null,
        reason: expect.stringContaining('Key (code)=(a) already exists'),
      },
    ])
    expect(report).toMatchObject({ rows: 3, rejected: 2, validation: { ok: true } })
  })

  it('is found in tables without a primary key, without rowid, by keys of texts and blobs, and in UTF-16', async () => {
    const fill = (db: Database.Database) => {
      db.exec(`CREATE TABLE heap (v TEXT); CREATE TABLE pair (a TEXT, b BLOB, v TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
        CREATE TABLE code (code TEXT PRIMARY KEY, v TEXT)`)
      for (let i = 0; i < 3000; i++) {
        const v = i === 1234 ? 'x\0y' : `é ${i}`
        db.prepare('INSERT INTO heap VALUES (?)').run(v)
        db.prepare('INSERT INTO pair VALUES (?, ?, ?)').run(
          `it's ${i % 7}`,
          Buffer.from([i >> 8, i & 255]),
          v,
        )
        db.prepare('INSERT INTO code VALUES (?, ?)').run(`k${i}`, v)
      }
    }
    for (const [encoding, schema] of [
      ['UTF-8', 'narrow'],
      ['UTF-16le', 'little'],
      ['UTF-16be', 'big'],
    ] as const) {
      const file = bench.file(`PRAGMA encoding = '${encoding}'`, fill)
      const job = bench.job(file, { target: { ...bench.target, schema } })
      const { report, rejects } = await migrate(job)
      expect(rejects.map(({ table, key, value }) => [table, key, value]).sort(), encoding).toEqual([
        ['code', 'rowid = 1235', 'x␀y'],
        ['heap', 'rowid = 1235', 'x␀y'],
        ['pair', `a = 'it's 2', b = x'04d2'`, 'x␀y'],
      ])
      expect(report, encoding).toMatchObject({ rows: 8997, rejected: 3, validation: { ok: true } })
      expect((await validate({ ...job, plan: report.plan, rejected: rejects })).ok, encoding).toBe(true)
    }
  })

  it('is a text with half a surrogate pair in a UTF-16 database', async () => {
    const file = bench.file(`PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
      INSERT INTO t VALUES (1, 'a'), (2, CAST(x'610000d86200' AS TEXT)), (3, '🚀')`)
    const { report, rejects } = await migrate(bench.job(file))
    expect(rejects).toMatchObject([
      { key: 'id = 2', reason: 'The text is not valid UTF-16.', value: '\\x610000d86200' },
    ])
    expect(report).toMatchObject({ rows: 2, rejected: 1, validation: { ok: true } })
  })

  const many = (rows: number, bad: (i: number) => boolean) =>
    bench.file('CREATE TABLE big (id INTEGER PRIMARY KEY, v TEXT, w TEXT)', (db) => {
      const insert = db.prepare('INSERT INTO big VALUES (?, ?, ?)')
      for (let i = 1; i <= rows; i++) insert.run(i, bad(i) ? 'x\0' : 'fine', 'w'.repeat(200))
    })

  it('costs little when the server alone finds it: three among 100,000', async () => {
    const bad = [5, 50_000, 100_000]
    const file = bench.file('CREATE TABLE big (id INTEGER PRIMARY KEY, v NUMERIC, w TEXT)', (db) => {
      const insert = db.prepare('INSERT INTO big VALUES (?, ?, ?)')
      for (let i = 1; i <= 100_000; i++) insert.run(i, bad.includes(i) ? 'x' : i, 'w'.repeat(200))
    })
    const job = bench.job(file, { workers: 1 })
    const plan = await planWith(job, { 'big.v': { type: 'bigint', render: 'integer' } })
    const { report, rejects } = await migrate({ ...job, plan })
    expect(rejects.map(({ key, value }) => [key, value])).toEqual(bad.map((id) => [`id = ${id}`, 'x']))
    expect(report).toMatchObject({ rows: 99_997, rejected: 3, validation: { ok: true } })
    // Rows that were rolled back count too: each was sent about twice.
    const [{ tried }] = await query(
      `SELECT n_tup_ins::int AS tried FROM pg_stat_user_tables WHERE relname = 'big'`,
    )
    expect(tried).toBeGreaterThanOrEqual(99_997)
    expect(tried).toBeLessThan(300_000)
  })

  it('is neither lost nor told twice when the worker is killed, again and again', async () => {
    const file = many(200_000, (i) => i % 1000 === 500)
    const job = bench.job(file, { choices: { version: 1, rejects: { perTable: 500, perRun: 500 } } })
    const told: RunEvent[] = []
    const midway = (event: RunEvent) => event.type === 'rejects' && !event.first
    let end = 'failed'
    for (let round = 0; end !== 'done' && round < 10; round++) {
      let pieces = 0
      const seen = recorder(
        (event) => round < 4 && midway(event) && ++pieces > round + 1,
        () => process.kill(handle.pid, 'SIGKILL'),
      )
      const options = {
        onEvent: (event: RunEvent) => {
          told.push(event)
          seen.onEvent(event)
        },
      }
      const handle = (round === 0 ? startRun : resumeRun)(job, options)
      const ended = await handle.ended
      end = ended.state
      if (ended.state === 'done')
        expect(ended.report).toMatchObject({ rows: 199_800, rejected: 200, validation: { ok: true } })
      else {
        const [kept] = await query(
          `SELECT sum(rows)::int AS rows, sum(rejected)::int AS rejected, (SELECT count(*)::int FROM holdfast_migration.reject) AS listed, (SELECT count(*)::int FROM big) AS stored FROM holdfast_migration.part`,
        )
        expect(kept.listed).toBe(kept.rejected)
        expect(kept.stored).toBe(kept.rows)
      }
    }
    expect(end).toBe('done')
    const keys = rejectsOf(told).map(({ key }) => key)
    expect(keys).toHaveLength(200)
    expect(keys.every((key) => /500$/.test(key))).toBe(true)
    expect(await query('SELECT count(*)::int AS n, count(DISTINCT id)::int AS d FROM big')).toEqual([
      { n: 199_800, d: 199_800 },
    ])
  })

  it('stops the run past the limit, which goes on after it was raised, or is undone', async () => {
    const before = await fingerprint(bench.client)
    const file = many(50_000, (i) => i <= 30_000 && i % 2 === 0)
    const job = bench.job(file, { choices: { version: 1, rejects: { perTable: 300, perRun: 1000 } } })
    const end = await startRun(job).ended
    expect(end).toMatchObject({
      state: 'failed',
      failure: {
        code: 'REJECTS_EXCEEDED',
        table: 'big',
        resumable: true,
        message: expect.stringContaining('the limit is 300'),
      },
    })
    const [kept] = await query(`SELECT sum(rejected)::int AS n FROM holdfast_migration.part`)
    expect(kept.n).toBeGreaterThan(300)
    expect(kept.n).toBeLessThan(2_000)
    expect(await resumeRun(job).ended).toMatchObject({
      state: 'failed',
      failure: { code: 'REJECTS_EXCEEDED' },
    })
    const raised: Job = { ...job, choices: { version: 1, rejects: { perTable: 20_000, perRun: 20_000 } } }
    expect(await resumeRun(raised).ended).toMatchObject({
      state: 'done',
      report: { rows: 35_000, rejected: 15_000, validation: { ok: true } },
    })
    await query('DROP TABLE big')
    expect(await fingerprint(bench.client)).toEqual(before)
  })

  it('leaves the foreign keys of rows that point to it unproved, and says so', async () => {
    const file = bench.file(
      `CREATE TABLE parent (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE child (id INTEGER PRIMARY KEY, up INTEGER REFERENCES parent(id));
       CREATE TABLE other (id INTEGER PRIMARY KEY, up INTEGER REFERENCES parent(id))`,
      (db) => {
        const insert = db.prepare('INSERT INTO parent VALUES (?, ?)')
        for (const [id, v] of [
          [1, 'a'],
          [2, 'b\0'],
          [3, 'c'],
        ])
          insert.run(id, v)
        db.exec('INSERT INTO child VALUES (1, 1), (2, 2), (3, 3); INSERT INTO other VALUES (1, 1)')
      },
    )
    const { report } = await migrate(bench.job(file))
    expect(report).toMatchObject({ rejected: 1, validation: { ok: true } })
    const check = report.checks.find(({ id }) => id === 'target-unbuilt')
    expect(check).toMatchObject({ state: 'amber' })
    expect(check?.detail).toContain(
      'child_up_fkey could not be built: Key (up)=(2) is not present in table "parent"',
    )
    expect(
      await query(`SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1`),
    ).toEqual([
      { conname: 'child_up_fkey', convalidated: false },
      { conname: 'other_up_fkey', convalidated: true },
    ])
  })

  it('is stored when only an index stands against it, which is named and keeps the run red until it is mended', async () => {
    const file = bench.file(`CREATE TABLE t (id INTEGER PRIMARY KEY, n NUMERIC UNIQUE);
      CREATE TABLE leans (id INTEGER PRIMARY KEY, n NUMERIC REFERENCES t(n)); INSERT INTO t VALUES (1, 1.2), (2, 1.4), (3, 5);`)
    const job = bench.job(file)
    const plan = await planWith(job, { 't.n': { type: 'numeric(5,0)', render: 'numeric' } })
    const { report } = await migrate({ ...job, plan })
    expect(report.validation.ok).toBe(false)
    const check = report.checks.find(({ id }) => id === 'target-unbuilt')
    expect(check).toMatchObject({ state: 'red' })
    expect(check?.detail).toMatch(/unique index t_n_key could not be built: Key \(n\)=\(1\) is duplicated\./)
    await query('DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (2, 4)')
    const end = await resumeRun(job).ended
    expect(end.state === 'done' && end.report.checks.some(({ id }) => id === 'target-unbuilt')).toBe(false)
    expect(
      await query(
        `SELECT conname FROM pg_constraint WHERE contype IN ('u', 'f') AND conrelid IN ('t'::regclass, 'leans'::regclass) ORDER BY 1`,
      ),
    ).toEqual([{ conname: 'leans_n_fkey' }, { conname: 't_n_key' }])
  })

  it('does not fit what was chosen: types, NOT NULL, and NULL that becomes the default is none', async () => {
    const file = bench.file(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, n, must TEXT, d TEXT DEFAULT 'none', j TEXT, u TEXT)",
      (db) => {
        const insert = db.prepare('INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)')
        for (let i = 1; i <= 20_000; i++) {
          const odd = i % 4_000 === 0
          const json = i === 5_001 ? '{broken' : '{"a": 1}'
          const uuid = i === 9_999 ? 'no' : `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`
          insert.run(
            BigInt(i),
            odd ? 'word' : BigInt(i),
            i === 77 ? null : 'x',
            i % 2 ? 'd' : null,
            json,
            uuid,
          )
        }
      },
    )
    const columns = {
      n: { type: 'bigint' },
      must: { nulls: 'reject' },
      d: { nulls: 'default' },
      j: { type: 'jsonb' },
      u: { type: 'uuid' },
    } as const
    const job = bench.job(file, { choices: { version: 1, tables: { t: { columns } } } })
    const { report, rejects } = await migrate(job)
    expect(rejects.map(({ key, column }) => `${key} ${column}`).sort()).toEqual(
      [
        'id = 77 must',
        'id = 5001 j',
        'id = 9999 u',
        ...[1, 2, 3, 4, 5].map((i) => `id = ${i * 4_000} n`),
      ].sort(),
    )
    expect(report).toMatchObject({ rows: 19_992, rejected: 8, validation: { ok: true } })
    expect(await query(`SELECT count(*)::int AS n FROM t WHERE d = 'none'`)).toEqual([{ n: 9_995 }])
    expect((await validate({ ...job, plan: report.plan, rejected: rejects })).ok).toBe(true)
  })

  it('is wider than a page of PostgreSQL', async () => {
    const names = Array.from({ length: 1_100 }, (_, i) => `c${i}`)
    const file =
      bench.file(`CREATE TABLE t (id INTEGER PRIMARY KEY, ${names.map((name) => `${name} INTEGER`).join(', ')});
      INSERT INTO t (id, c1) VALUES (1, 5), (3, 6); INSERT INTO t VALUES (2, ${names.map(() => 9_000_000_000).join(', ')})`)
    const { report, rejects } = await migrate(bench.job(file))
    expect(rejects).toMatchObject([
      { key: 'id = 2', column: null, value: null, reason: expect.stringContaining('row is too big') },
    ])
    expect(report).toMatchObject({ rows: 2, rejected: 1, validation: { ok: true } })
  })
})
