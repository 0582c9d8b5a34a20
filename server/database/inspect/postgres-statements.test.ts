import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findPostgresBinaries } from '@/db/testing/postgres-place'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { needsPostgres } from '@/db/testing/shared'
import { type Bench, bench } from './postgres.testing'

/** As root, and so in the build, a missing library is a failure. */
const bin = findPostgresBinaries() ?? '/'
const library = ['lib', 'lib/postgresql'].some((folder) =>
  existsSync(join(dirname(bin), folder, 'pg_stat_statements.so')),
)
const strict = process.getuid?.() === 0

describe('statements that this process sent', () => {
  needsPostgres()
  let at: Bench

  beforeEach(async () => {
    at = await bench()
  })
  afterEach(() => at.undo())

  it('are told without values, with what would tell those of everybody', async () => {
    const { pool, inspect } = at.open()
    await pool.query('CREATE TABLE people (id int PRIMARY KEY, name text)')
    await pool.query("INSERT INTO people VALUES (1, 'secret one')")
    await pool.query("INSERT INTO people VALUES (2, 'secret two')")
    await expect(pool.query("INSERT INTO people VALUES (2, 'secret three')")).rejects.toThrow()
    const told = await inspect.statements()
    expect(told).toMatchObject({ source: 'own', since: 1, missing: { kind: 'not-enabled' } })
    expect(told.missing?.remedy).toContain('CREATE EXTENSION pg_stat_statements')
    const inserts = told.statements.find(({ text }) => text.startsWith('INSERT'))
    expect(inserts).toMatchObject({
      text: 'INSERT INTO people VALUES ($1, $2)',
      calls: 3,
      errors: 1,
      rows: null,
    })
    expect(inserts?.meanMs).toBeCloseTo((inserts?.totalMs ?? 0) / 3)
    expect(told.statements.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
    expect(JSON.stringify((await inspect.statements()).statements)).not.toMatch(/secret|pg_extension|pg_stat/)
  })

  it('keep their fingerprint on another instance', async () => {
    const [one, two] = [at.open(), at.open()]
    await one.pool.query('select 1 + 41')
    await two.pool.query('SELECT 2  + 40 -- again')
    const [a, b] = [await one.inspect.statements(), await two.inspect.statements()].map(({ statements }) =>
      statements.find(({ text }) => text === 'SELECT $1 + $2'),
    )
    expect(a?.fingerprint).toMatch(/^[0-9a-f]{32}$/)
    expect(b?.fingerprint).toBe(a?.fingerprint)
  })

  it('are planned for any values without being run', async () => {
    const { pool, inspect } = at.open()
    await pool.query('CREATE TABLE numbers (n int PRIMARY KEY, at timestamptz, gone bool)')
    await pool.query('INSERT INTO numbers SELECT n, now(), false FROM generate_series(1, 20000) n')
    await pool.query('ANALYZE numbers')
    await pool.query('SELECT * FROM numbers WHERE n = $1', [7])
    await pool.query("DELETE FROM numbers WHERE n = 3 AND at < now() - interval '99 days'")
    const { statements } = await inspect.statements()
    const plan = async (start: string) =>
      inspect.plan(statements.find(({ text }) => text.startsWith(start))?.fingerprint ?? 'none')
    expect(await plan('SELECT * FROM numbers')).toEqual({
      plan: expect.stringMatching(/Index Scan using numbers_pkey[\s\S]*Index Cond: \(n = \$1\)/),
      because: null,
    })
    expect((await plan('DELETE')).plan).toContain('Delete on numbers')
    expect((await pool.query('SELECT count(*)::int AS n FROM numbers')).rows[0]).toEqual({ n: 20_000 })
    expect((await plan('analyze')).because).toContain('no plan for this command')
    await pool.query('DROP TABLE numbers')
    expect((await plan('SELECT * FROM numbers')).because).toContain('not there')
    await expect(inspect.plan('00000000000000000000000000000000')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('are not planned while a table of theirs is locked, and nobody hangs', async () => {
    const { pool, inspect } = at.open()
    await pool.query('CREATE TABLE held (n int)')
    await pool.query('SELECT * FROM held WHERE n = 1')
    const { statements } = await inspect.statements()
    const holder = await at.client()
    await holder.query('BEGIN')
    await holder.query('LOCK TABLE held IN ACCESS EXCLUSIVE MODE')
    const asked = statements.find(({ text }) => text.startsWith('SELECT * FROM held'))
    expect(await inspect.plan(asked?.fingerprint ?? '')).toEqual({
      plan: null,
      because: 'A table that it names is locked.',
    })
    await holder.query('ROLLBACK')
  })
})

describe.skipIf(!strict && !library)('statements of everybody, by pg_stat_statements', () => {
  let server: PostgresServer
  let at: Bench

  beforeAll(async () => {
    server = await startPostgres({ settings: { shared_preload_libraries: 'pg_stat_statements' } })
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    at = await bench(server)
  })
  afterEach(() => at.undo())

  it('are told for the database alone, the longest first, in whichever schema the extension is', async () => {
    const client = await at.client()
    const { inspect } = at.open()
    expect((await inspect.statements()).missing?.remedy).toBe('CREATE EXTENSION pg_stat_statements')
    await server.createDatabase('elsewhere')
    await client.query('CREATE SCHEMA "Told here"')
    await client.query('CREATE EXTENSION pg_stat_statements SCHEMA "Told here"')
    const elsewhere = await at.client('other', { database: 'elsewhere' })
    await elsewhere.query('SELECT 4 AS elsewhere_only')
    await client.query('CREATE TABLE words (id serial PRIMARY KEY, word text)')
    for (const word of ['secret1', 'secret2', 'secret3']) {
      await client.query(`INSERT INTO words (word) VALUES ('${word}')`)
    }
    await client.query('SELECT pg_sleep(0.2)')
    await inspect.statements()
    const { source, statements, missing, since } = await inspect.statements()
    expect({ source, missing }).toEqual({ source: 'pg_stat_statements', missing: null })
    expect(since).toBeGreaterThan(0)
    const times = statements.map(({ totalMs }) => totalMs)
    expect(times).toEqual([...times].sort((a, b) => b - a))
    const slept = statements.find(({ text }) => text === 'SELECT pg_sleep($1)')
    expect(slept?.totalMs).toBeGreaterThan(200)
    expect(slept?.share).toBeCloseTo((slept?.totalMs ?? 0) / times.reduce((sum, ms) => sum + ms, 0))
    const inserts = statements.find(({ text }) => text.startsWith('INSERT INTO words'))
    expect(inserts).toMatchObject({
      text: 'INSERT INTO words(word) VALUES ($1)',
      calls: 3,
      rows: 3,
      errors: null,
    })
    expect(inserts?.maxMs).toBeGreaterThan(0)
    expect(inserts?.cacheHitRatio).toBeGreaterThan(0)
    expect(JSON.stringify(statements)).not.toMatch(/secret|elsewhere_only|pg_available_extensions/)
    expect((await inspect.plan(inserts?.fingerprint ?? '')).plan).toContain('Insert on words')
  })

  it('of others stay hidden from a role without rights, which is told what it lacks', async () => {
    const client = await at.client()
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements')
    const role = `plain_${randomBytes(4).toString('hex')}`
    await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'plain'`)
    await client.query('GRANT USAGE ON SCHEMA "Told here" TO PUBLIC')
    await client.query('SELECT 5 AS of_the_superuser')
    const { pool, inspect } = at.open({ user: role, password: 'plain' })
    await pool.query('SELECT 6 AS of_the_role')
    const { statements, missing } = await inspect.statements()
    expect(missing).toMatchObject({ kind: 'no-permission', remedy: `GRANT pg_read_all_stats TO ${role}` })
    const texts = statements.map(({ text }) => text)
    expect(texts).toContain('SELECT $1 AS of_the_role')
    expect(texts).not.toContain('SELECT $1 AS of_the_superuser')
    await client.query('REVOKE USAGE ON SCHEMA "Told here" FROM PUBLIC')
    expect(await inspect.statements()).toMatchObject({
      source: 'own',
      missing: {
        kind: 'no-permission',
        remedy: expect.stringContaining('GRANT USAGE ON SCHEMA "Told here"'),
      },
    })
  })

  it('are missing where the library was not loaded, with the setting', async () => {
    const other = await startPostgres()
    await other.query('CREATE EXTENSION pg_stat_statements')
    const apart = await bench(other)
    const { inspect } = apart.open()
    expect(await inspect.statements()).toMatchObject({
      source: 'own',
      missing: { kind: 'not-enabled', remedy: expect.stringContaining('shared_preload_libraries') },
    })
    await apart.undo()
    await other.stop()
  }, 90_000)
})
