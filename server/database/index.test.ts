import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createDatabase, needsPostgres, sharedPostgres } from '@/db/testing/shared'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { openPostgresDatabase, openSqliteDatabase } from '.'

const deps = { clock: systemClock, log: openLog('error', () => {}) }
const folder = mkdtempSync(join(tmpdir(), 'holdfast-database-'))
const limits = { min: 1, max: 2, acquireTimeout: 2_000, idleTimeout: 1_000 }
afterAll(() => rmSync(folder, { recursive: true }))

describe('database on SQLite', () => {
  it('tells about the file and what was asked', async () => {
    const file = join(folder, 'store.sqlite')
    const database = openSqliteDatabase(deps, { file })
    database.client.prepare('SELECT 1').get()
    const stats = await database.stats()
    expect(stats).toMatchObject({ dialect: 'sqlite', place: file, reachable: true, pool: null, errors: {} })
    expect(stats.queries).toBeGreaterThan(0)
    expect(stats.queryTime.p99).toBeGreaterThan(0)
    expect(stats.sqlite).toMatchObject({ journalMode: 'wal', foreignKeys: true, pageSize: 4096 })
    expect(stats.postgres).toBe(null)
    database.client.exec('CREATE TABLE later (n INTEGER); PRAGMA foreign_keys = OFF')
    const { sqlite, queries } = await database.stats()
    expect(sqlite).toMatchObject({ pages: (stats.sqlite?.pages ?? 0) + 1, foreignKeys: false })
    // To look is none of the work that is told of.
    expect(queries).toBe(stats.queries)
    await database.close()
    expect((await database.stats()).reachable).toBe(false)
  })
})

describe('database on PostgreSQL', () => {
  needsPostgres()

  it('tells about pool and server', async () => {
    const { database: name, drop } = await createDatabase()
    const { host, port, user, password } = sharedPostgres()
    const place = { host, port, user, password, database: name }
    const database = openPostgresDatabase(deps, { ...place, ...limits })
    await database.handle.db.execute('CREATE TABLE t (n int)')
    const stats = await database.stats()
    expect(stats).toMatchObject({ dialect: 'postgresql', place: `${host}:${port}/${name}`, reachable: true })
    expect(stats.pool).toMatchObject({ max: 2, waiting: 0 })
    expect(stats.postgres?.maxConnections).toBeGreaterThan(0)
    expect(stats.postgres?.inRecovery).toBe(false)
    expect(stats.queries).toBe(1)
    await database.close()
    await drop()
  })

  it('says in one sentence why a server cannot be used, without the password', async () => {
    const { host, port, user } = sharedPostgres()
    const place = { host, port, user, password: 'not-the-password', database: 'postgres' }
    const database = openPostgresDatabase(deps, { ...place, ...limits })
    const opening = database.client.connect()
    await expect(opening).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: `PostgreSQL at ${host}:${port} can't be used. The password of ${user} is wrong.`,
    })
    await opening.catch((error: Error) => expect(JSON.stringify(error)).not.toContain('not-the-password'))
    await database.close()
  })
})
