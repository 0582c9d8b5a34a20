import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteFile, type SqliteFile } from '../sqlite/open'
import { inspectSqlite } from './sqlite'
import { measure } from './sqlite-sizes'
import type { Inspector } from './types'

describe('a SQLite file', () => {
  let folder: string
  let opened: SqliteFile
  let inspect: Inspector

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-inspect-'))
    const file = join(folder, 'store.sqlite')
    opened = openSqliteFile(file)
    inspect = inspectSqlite({ dialect: 'sqlite', file, ...opened }, { openedAt: 5 })
    opened.client.exec(`
      CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT);
      CREATE INDEX people_name ON people (name);
      CREATE TABLE pairs (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
      INSERT INTO people SELECT i, 'secret' || i, 'name' || (i % 7) FROM n;
      INSERT INTO pairs SELECT email, name FROM people WHERE id <= 500;`)
  })
  afterEach(async () => {
    await opened.driver.close()
    rmSync(folder, { recursive: true })
  })

  it('has no sessions and no server', async () => {
    expect(await inspect.sessions()).toMatchObject({ sessions: [], missing: { kind: 'not-here' } })
    expect(await inspect.server()).toMatchObject({ slots: [], missing: { kind: 'not-here' } })
    expect(await inspect.cancel({ pid: 1, startedAt: 1 })).toBe(false)
    expect(await inspect.terminate({ pid: 1, startedAt: 1 })).toBe(false)
  })

  it('tells its statements without values, and how they run', async () => {
    const { driver } = opened
    await driver.query("SELECT name FROM people WHERE email = 'secret7'", [], 'all')
    await driver.query('SELECT name FROM people WHERE email = ?', ['secret8'], 'all')
    await driver.query('SELECT count(*) FROM people GROUP BY name || ?', ['x'], 'all')
    await driver.write("UPDATE people SET name = 'secret' WHERE id = 4", [], 'run')
    await inspect.tables()
    const { source, since, statements, missing } = await inspect.statements()
    expect({ source, since, missing }).toEqual({ source: 'own', since: 5, missing: null })
    const found = statements.find(({ text }) => text === 'SELECT name FROM people WHERE email = $1')
    expect(found).toMatchObject({ calls: 2, errors: 0, rows: null })
    expect(JSON.stringify(statements)).not.toMatch(/secret|dbstat|pragma/)
    expect(await inspect.plan(found?.fingerprint ?? '')).toEqual({
      plan: 'SEARCH people USING INDEX sqlite_autoindex_people_1 (email=?)',
      because: null,
    })
    const update = statements.find(({ text }) => text.startsWith('UPDATE'))
    expect((await inspect.plan(update?.fingerprint ?? '')).plan).toContain('INTEGER PRIMARY KEY')
    expect(opened.client.prepare('SELECT count(*) FROM people').pluck().get()).toBe(3_000)
    const group = statements.find(({ text }) => text.includes('GROUP BY'))
    expect((await inspect.plan(group?.fingerprint ?? '')).plan).toMatch(/^SCAN people.*\nUSE TEMP B-TREE/)
    await driver.write('DROP TABLE people', [], 'run')
    expect((await inspect.plan(update?.fingerprint ?? '')).because).toContain('cannot prepare')
    const { statements: later } = await inspect.statements()
    const drop = later.find(({ text }) => /^drop/i.test(text))
    expect((await inspect.plan(drop?.fingerprint ?? '')).because).toContain('no plan for this command')
    await expect(inspect.plan('0123456789abcdef')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('tells its tables with rows and sizes, the largest first', async () => {
    const { tables } = await inspect.tables()
    expect(tables.map(({ name, rows }) => ({ name, rows }))).toEqual([
      { name: 'people', rows: 3_000 },
      { name: 'pairs', rows: 500 },
    ])
    const [people, pairs] = tables
    const indexes = people?.indexes.map(({ name, ddl, unique }) => ({ name, ddl, unique }))
    expect(indexes).toContainEqual({
      name: 'people_name',
      ddl: 'CREATE INDEX people_name ON people (name)',
      unique: false,
    })
    expect(indexes).toContainEqual({
      name: 'sqlite_autoindex_people_1',
      ddl: 'UNIQUE (email) of people',
      unique: true,
    })
    expect(pairs?.indexes).toMatchObject([{ primary: true, ddl: 'PRIMARY KEY (a, b) of pairs', bytes: 0 }])
    const bytes = tables.reduce((sum, table) => sum + table.tableBytes + table.indexBytes, 0)
    const pages = Number(opened.client.pragma('page_count', { simple: true }))
    const schema = Number(
      opened.client.prepare("SELECT sum(pgsize) FROM dbstat WHERE name = 'sqlite_schema'").pluck().get(),
    )
    expect(bytes + schema).toBe(pages * 4_096)
    expect(tables.every(({ estimated }) => estimated === undefined)).toBe(true)
  })

  it('is sampled where it is too large to be gone through, near to the truth', async () => {
    opened.client.exec(`
      WITH RECURSIVE n (i) AS (SELECT 3001 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
      INSERT INTO people SELECT i, 'somebody' || i || '@example.org', 'name' || (i % 7) FROM n`)
    const ask = async (sql: string, params: unknown[] = []) =>
      opened.client.prepare(sql).all(params) as Record<string, unknown>[]
    const trees = [
      { name: 'people', table: 'people', keyed: false },
      { name: 'people_name', table: 'people', keyed: true },
      { name: 'pairs', table: 'pairs', keyed: true },
    ]
    const exact = await measure(ask, trees)
    const sampled = await measure(ask, trees, 100)
    for (const name of ['people', 'people_name']) {
      expect(exact.get(name)?.exact).toBe(true)
      expect(sampled.get(name)).toMatchObject({ exact: false, rows: 400_000 })
      expect((sampled.get(name)?.bytes ?? 0) / (exact.get(name)?.bytes ?? 1)).toBeGreaterThan(0.7)
      expect((sampled.get(name)?.bytes ?? 0) / (exact.get(name)?.bytes ?? 1)).toBeLessThan(1.4)
    }
    expect(sampled.get('pairs')).toEqual(exact.get('pairs'))
  })

  it('gets new statistics, and its WAL folded into the file', async () => {
    expect((await inspect.maintain('analyze')).message).toBe('Renewed the statistics of 2 tables.')
    const counted = opened.client
      .prepare('SELECT stat FROM sqlite_stat1 WHERE idx = ?')
      .pluck()
      .get('people_name')
    expect(counted).toMatch(/^3000 /)
    const { message, milliseconds } = await inspect.maintain('checkpoint')
    expect(message).toMatch(/^Moved [1-9]\d* pages? of the WAL into the file, and emptied the WAL\.$/)
    expect(milliseconds).toBeGreaterThan(0)
    expect((await inspect.maintain('optimize')).message).toMatch(/statistics/)
  })

  it('says so when a reader holds on to the WAL', async () => {
    const { client, driver } = opened
    client.exec('BEGIN')
    client.prepare('SELECT count(*) FROM people').get()
    await driver.write("INSERT INTO people VALUES (9999, 'late', 'late')", [], 'run')
    expect((await inspect.maintain('checkpoint')).message).toMatch(/a reader holds on to the rest/)
    client.exec('ROLLBACK')
    expect((await inspect.maintain('checkpoint')).message).toMatch(/emptied the WAL/)
  }, 60_000)
})
