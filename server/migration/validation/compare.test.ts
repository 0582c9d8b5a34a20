import { spawnSync } from 'node:child_process'
import type Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { makePlan, startRun, validate } from '../runs/client'
import { type Bench, fingerprint, openBench } from '../testing/target'
import type { Job, Validation } from '../types'

const engine = inject('postgres')
const pgloader = spawnSync('pgloader', ['--version']).status === 0

describe.skipIf(!engine)('comparing a target that something else has filled', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await openBench(engine as NonNullable<typeof engine>)
  })
  afterEach(() => bench.close())

  /** As a run of purpose 'compare' does: plan from the target's catalogue, then the comparison. */
  async function compare(file: string, more: Partial<Job> = {}): Promise<Validation> {
    const before = await fingerprint(bench.client)
    const job = bench.job(file, { mode: 'compare', ...more })
    const end = await startRun({ ...job, plan: await makePlan(job) }).ended
    if (end.state !== 'done') throw new Error(JSON.stringify(end))
    expect(await fingerprint(bench.client)).toEqual(before)
    return end.report.validation
  }

  const red = ({ tables }: Validation) =>
    Object.fromEntries(
      tables
        .filter(({ ok }) => !ok)
        .map(({ table, columns }) => [
          table,
          columns.filter(({ ok, column }) => !ok && column !== '(whole rows)').map(({ column }) => column),
        ]),
    )
  const states = ({ checks }: Validation) => Object.fromEntries(checks.map(({ id, state }) => [id, state]))

  it('finds a copy of ours equal, writes nothing, and names one value that was changed', async () => {
    const file =
      bench.file(`CREATE TABLE Items (Id INTEGER PRIMARY KEY, Name TEXT NOT NULL, Price REAL, Data BLOB);
      INSERT INTO Items VALUES (1, 'a', 0.1, x'00ff'), (2, 'b', 2.0, NULL), (3, '', -0.0, x'')`)
    const made = await startRun(bench.job(file)).ended
    expect(made.state).toBe('done')
    expect((await compare(file)).ok).toBe(true)
    await bench.client.query(`UPDATE "Items" SET "Price" = 0.10000000000000002 WHERE "Id" = 1`)
    const found = await compare(file)
    expect(found.ok).toBe(false)
    expect(red(found)).toEqual({ Items: ['Price'] })
    expect(found.tables[0]?.difference?.key).toBe('Id = 1')
  })

  it('knows a value whatever type it was given: numbers, booleans, times, uuids, JSON', async () => {
    const file =
      bench.file(`CREATE TABLE things (id INTEGER PRIMARY KEY, whole INT, exact DECIMAL(10,2), flag, at TEXT, unix INTEGER, ms INTEGER, day TEXT, uid TEXT, doc TEXT, code TEXT);
      INSERT INTO things VALUES (1, 5, 10.5, 1, '2024-02-29 12:30:00.25', 1709209800, 1709209800123, '2024-02-29', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{"b": 1, "a": [1.50]}', 'x'),
        (2, -9007199254740993, 1e3, 'true', '2024-02-29T12:30:00Z', 0, NULL, NULL, NULL, NULL, NULL), (3, 0, -0.25, 'no', NULL, NULL, 0, '1999-12-31', NULL, 'null', '')`)
    await bench.client.query(`CREATE TABLE THINGS (id numeric PRIMARY KEY, whole numeric, exact double precision, flag boolean, at timestamptz, unix timestamp, ms timestamptz, day date, uid uuid, doc jsonb, code varchar(5));
      INSERT INTO things VALUES (1, 5, 10.5, true, '2024-02-29 12:30:00.25+00', '2024-02-29 12:30', '2024-02-29 12:30:00.123+00', '2024-02-29', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": [1.50], "b": 1}', 'x'),
        (2, -9007199254740993, 1000, true, '2024-02-29 12:30:00+00', '1970-01-01', NULL, NULL, NULL, NULL, NULL), (3, 0, -0.25, false, NULL, NULL, '1970-01-01+00', '1999-12-31', NULL, 'null', '')`)
    expect(red(await compare(file))).toEqual({})
    await bench.client.query(
      `UPDATE things SET whole = whole + 1, at = at + '1 microsecond', flag = NOT flag WHERE id = 2`,
    )
    expect(red(await compare(file))).toEqual({ things: ['whole', 'flag', 'at'] })
  })

  it('names tables, columns, keys and NOT NULL that are missing, and what is there beside them', async () => {
    const file =
      bench.file(`CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT NOT NULL, y TEXT); CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a); CREATE TABLE c (id);
      INSERT INTO a VALUES (1, 'x', 'y'); INSERT INTO b VALUES (1, 1)`)
    await bench.client.query(
      `CREATE TABLE a (id bigint, x text, more int); CREATE TABLE b (id bigint PRIMARY KEY, a bigint); CREATE TABLE other (); INSERT INTO a VALUES (1, 'x'); INSERT INTO b VALUES (1, 1)`,
    )
    const found = await compare(file)
    expect(found.ok).toBe(false)
    expect(states(found)).toMatchObject({
      'target-tables': 'red',
      'target-keys': 'red',
      'target-not-null': 'amber',
    })
    const details = found.checks.map(({ detail }) => detail).join('\n')
    for (const part of ['table c', 'column a.y', 'primary key of a', 'foreign key b (a) → a', 'a.x'])
      expect(details).toContain(part)
    expect(details).toContain('Only in the target, not looked at: table other, column a.more.')
  })

  it('refuses a schema that has none of the tables', async () => {
    const file = bench.file(`CREATE TABLE a (id INTEGER PRIMARY KEY)`)
    await expect(makePlan(bench.job(file, { mode: 'compare' }))).rejects.toMatchObject({
      code: 'PREFLIGHT_RED',
    })
  })

  describe.skipIf(!pgloader)('filled by pgloader', () => {
    function load(file: string): void {
      const { user, password, host, port, database } = bench.target
      const url = `pgsql://${user}:${password}@${host}:${port}/${database}`
      const single = ['--with', 'workers = 1', '--with', 'concurrency = 1']
      for (let attempt = 1; ; attempt++) {
        const options = { encoding: 'utf8', timeout: 60_000 } as const
        const { status, stdout } = spawnSync('pgloader', [...single, file, url], options)
        // Its threads sometimes trip over one another; it drops what it made when it starts anew.
        if (/Unsafe concurrent operations/.test(stdout) && attempt < 5) continue
        expect(status, stdout).toBe(0)
        return
      }
    }

    it('finds equal what came over right', async () => {
      const file =
        bench.file(`CREATE TABLE Authors (Id INTEGER PRIMARY KEY AUTOINCREMENT, Name TEXT NOT NULL, Born DATE, Made DATETIME);
        CREATE TABLE Books (Id INTEGER PRIMARY KEY AUTOINCREMENT, AuthorId INTEGER NOT NULL REFERENCES Authors(Id), Title VARCHAR(200), Price DOUBLE, Cover BLOB, InPrint BOOLEAN);
        INSERT INTO Authors VALUES (1, 'Ada', '1815-12-10', '2024-02-29 12:30:00'), (2, 'Bob "B"', NULL, NULL);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        INSERT INTO Books SELECT i, 1 + i % 2, 'Title ' || i, i / 3.0, CAST('blob' || i AS BLOB), i % 2 FROM n`)
      load(file)
      const found = await compare(file)
      expect(red(found)).toEqual({})
      expect(states(found)).toMatchObject({ 'target-tables': 'green', 'target-keys': 'green' })
      expect(found.tables.map(({ table }) => table).sort()).toEqual(['authors', 'books'])
    })

    it('names what it lost: halves of doubles, texts after NUL, rows', async () => {
      const file = bench.file(
        `CREATE TABLE reals (id INTEGER PRIMARY KEY AUTOINCREMENT, value REAL, other REAL);
         CREATE TABLE texts (id INTEGER PRIMARY KEY AUTOINCREMENT, value TEXT);
         CREATE TABLE ints (id INTEGER PRIMARY KEY AUTOINCREMENT, value INTEGER);
         INSERT INTO reals VALUES (1, 0.5, 1), (2, 16777217, 2); INSERT INTO ints VALUES (1, 1), (2, 2)`,
        (db: Database.Database) => {
          db.prepare('INSERT INTO texts VALUES (1, ?), (2, ?)').run('plain', 'cut\0here')
          db.prepare('INSERT INTO ints VALUES (3, ?)').run('not a number')
        },
      )
      load(file)
      const found = await compare(file)
      expect(found.ok).toBe(false)
      expect(red(found)).toMatchObject({ reals: ['value'], texts: ['value'] })
      expect(found.tables.find(({ table }) => table === 'reals')?.difference).toMatchObject({
        key: 'id = 2',
        columns: [{ differs: false }, { column: 'value', differs: true }, { differs: false }],
      })
      expect(found.tables.find(({ table }) => table === 'ints')?.ok).toBe(false)
    })

    it('is equal after it was mended', async () => {
      const file = bench.file(
        `CREATE TABLE reals (id INTEGER PRIMARY KEY AUTOINCREMENT, value REAL); INSERT INTO reals VALUES (1, 0.1)`,
      )
      load(file)
      const job = bench.job(file, { mode: 'compare' })
      const plan = await makePlan(job)
      expect((await validate({ ...job, plan })).ok).toBe(false)
      await bench.client.query(
        'ALTER TABLE reals ALTER value TYPE double precision; UPDATE reals SET value = 0.1',
      )
      expect((await validate({ ...job, plan: await makePlan(job) })).ok).toBe(true)
    })
  })
})
