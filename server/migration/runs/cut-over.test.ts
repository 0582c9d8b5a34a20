import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { needsPostgres } from '@/db/testing/shared'
import { undoAfterEach } from '@/db/testing/undo'
import { admin, openTestConsole, type TestConsole } from '../testing/console'
import type { Run } from './run'

const later = undoAfterEach()

describe.each(['sqlite', 'postgresql'] as const)(
  'a foreign source of a console on %s',
  { timeout: 120_000 },
  (dialect) => {
    needsPostgres()

    it('is followed after the run, also by a console that starts anew, until the run is deleted', async () => {
      const console = await openTestConsole(later, dialect)
      const app = application(console)
      const { id } = await carried(console, true)
      expect((await console.until(id, following)).phase).toBe('following')
      app.exec(`INSERT INTO items (name) VALUES ('later'); DELETE FROM items WHERE id = 1`)
      await arrives(console, id, `SELECT name FROM items ORDER BY id`, ['two', 'later'])
      process.kill(workerOf(), 'SIGKILL')
      app.exec(`UPDATE items SET name = 'changed' WHERE id = 2`)
      await arrives(console, id, `SELECT name FROM items ORDER BY id`, ['changed', 'later'])
      await console.restart()
      app.exec(`UPDATE items SET id = 20 WHERE id = 2`)
      await arrives(console, id, `SELECT id::int AS name FROM items ORDER BY id`, [3, 20])
      await console.migration.deleteRun({ id, caller: admin })
      expect(traces(app)).toEqual([])
    })

    it('compares both sides while the application goes on, and follows again', async () => {
      const console = await openTestConsole(later, dialect)
      const app = application(console)
      const { id } = await carried(console, true)
      await console.until(id, following)
      app.exec(`INSERT INTO items (name) VALUES ('unseen so far')`)
      await console.migration.validateRun({ id, caller: admin })
      const green = await console.until(id, following)
      expect([green.error, green.validation?.ok]).toEqual([null, true])
      expect(await onTarget(console, 'SELECT count(*)::int AS n FROM items')).toEqual([{ n: 3 }])
    })

    it('is cut over: later writes arrive or are refused with what to do, and it can be reopened', async () => {
      const console = await openTestConsole(later, dialect)
      const app = application(console)
      const { id } = await carried(console, true)
      app.exec(`INSERT INTO items (name) VALUES ('last')`)
      await expect(console.migration.cutOver({ id, caller: admin, grantId: null })).rejects.toMatchObject({
        code: 'STEP_UP_REQUIRED',
      })
      const grantId = await console.grant(id, 'migration.cutOver')
      const report = await console.migration.cutOver({ id, caller: admin, grantId })
      expect(report.connection).toMatch(/^postgresql:\/\/[^:]+@127\.0\.0\.1:\d+\/\w+\?sslmode=prefer$/)
      expect(report.connection).not.toContain(console.target.password)
      expect(await console.migration.getRun(id)).toMatchObject({ state: 'switched_over', phase: null })
      expect(await onTarget(console, 'SELECT name FROM items ORDER BY id')).toHaveLength(3)
      for (const write of [
        `INSERT INTO items (name) VALUES ('x')`,
        `UPDATE OR IGNORE items SET name = 'x'`,
        `DELETE FROM unplanned`,
        `INSERT OR REPLACE INTO unplanned VALUES (1)`,
      ])
        expect(() => app.exec(write)).toThrow(/has moved to PostgreSQL .*Reopen the source/)
      expect(traces(app).every((name) => name.startsWith('holdfast_block_'))).toBe(true)

      await console.migration.reopenSource({ id, caller: admin })
      app.exec(`INSERT INTO items (name) VALUES ('again')`)
      await console.until(id, following)
      await arrives(console, id, 'SELECT count(*)::int AS name FROM items', [4])
      await console.migration.deleteRun({ id, caller: admin })
      expect(traces(app)).toEqual([])
    })

    it('without capture is cut over only if it was not written to since the copy', async () => {
      const console = await openTestConsole(later, dialect)
      const app = application(console)
      const { id } = await carried(console, false)
      const cutOver = async () => {
        const grantId = await console.grant(id, 'migration.cutOver')
        return console.migration.cutOver({ id, caller: admin, grantId })
      }
      app.exec(`INSERT INTO items (name) VALUES ('unseen')`)
      await expect(cutOver()).rejects.toMatchObject({ code: 'VALIDATION_RED' })
      expect(traces(app)).toEqual([])
      app.exec(`DELETE FROM items WHERE name = 'unseen'`)
      await cutOver()
      expect(() => app.exec('DELETE FROM items')).toThrow('has moved')
    })
  },
)

const following = ({ phase, state }: Run) => state === 'completed' && phase === 'following'
const ended = ({ state }: Run) => ['completed', 'failed', 'cancelled'].includes(state)

/** The application that owns the source. */
function application(console: TestConsole): BetterSqlite3.Database {
  const app = new BetterSqlite3(join(console.sourceDir, 'app.db'), { timeout: 10_000 })
  later(() => app.close())
  app.exec(`PRAGMA journal_mode = WAL; CREATE TABLE items (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE);
    CREATE TABLE unplanned (id INTEGER PRIMARY KEY);
    INSERT INTO items (name) VALUES ('one'), ('two'); INSERT INTO unplanned VALUES (1)`)
  return app
}

const traces = (app: BetterSqlite3.Database) =>
  app.prepare(`SELECT name FROM sqlite_schema WHERE name GLOB 'holdfast*'`).pluck().all() as string[]

async function carried(console: TestConsole, capture: boolean): Promise<Run> {
  const { id } = await console.migration.createRun(admin, {
    source: { kind: 'folder', path: join(console.sourceDir, 'app.db') },
    target: { kind: 'environment' },
    schema: 'public',
    capture,
  })
  const planned = await console.until(id, ({ phase }) => phase === null)
  expect([planned.error, planned.checks.filter(({ state }) => state === 'red')]).toEqual([null, []])
  await console.migration.startRun({ id, caller: admin, grantId: await console.grant(id) })
  const run = await console.until(id, ended)
  expect([run.state, run.error]).toEqual(['completed', null])
  return run
}

/** Waits for news of the run until the target answers so. */
async function arrives(console: TestConsole, id: string, sql: string, names: unknown[]): Promise<void> {
  for (;;) {
    const heard = console.news.length
    const rows = (await onTarget(console, sql)) as { name: unknown }[]
    if (JSON.stringify(rows.map(({ name }) => name)) === JSON.stringify(names)) return
    if (console.news.length === heard) await console.until(id, () => console.news.length > heard)
  }
}

async function onTarget(console: TestConsole, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: console.targetUrl })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** The worker process that this test process has forked. */
function workerOf(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ')
  const worker = children.find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('migration-worker'),
  )
  return Number(worker)
}
