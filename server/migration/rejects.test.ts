import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { needsPostgres } from '@/db/testing/shared'
import { undoAfterEach } from '@/db/testing/undo'
import type { Run } from './runs/run'
import { admin, openTestConsole, type TestConsole } from './testing/console'
import type { RejectedRow } from './types'

const later = undoAfterEach()

describe.each(['sqlite', 'postgresql'] as const)(
  'rejected rows of a run of a console on %s',
  { timeout: 120_000 },
  (dialect) => {
    needsPostgres()

    it('are kept in a file of the run, shown page by page, and accepted by name', async () => {
      const console = await openTestConsole(later, dialect)
      const run = await started(console, 3_000, (i) => i % 100 === 7)
      const done = await console.until(run.id, ended)
      expect(done).toMatchObject({ state: 'completed', accepted: null, error: null })
      expect(done.report).toMatchObject({ rows: 2_970, rejected: 30, validation: { ok: true } })
      expect((await console.migration.listRuns())[0]).toMatchObject({ state: 'completed', rejected: 30 })
      expect(done.progress?.tables).toMatchObject([{ read: 3_000, written: 2_970, rejected: 30 }])

      const file = join(console.dataDir, 'migrations', run.id, 'rejects.ndjson')
      expect(statSync(file).mode & 0o777).toBe(0o600)
      const lines = readFileSync(file, 'utf8').trim().split('\n')
      expect(lines).toHaveLength(30)
      const seen: RejectedRow[] = []
      for (let after: string | undefined, more = true; more; ) {
        const page = await console.migration.rejects({ id: run.id, after, limit: 7 })
        expect(page.total).toBe(30)
        expect(page.items.length).toBeLessThanOrEqual(7)
        seen.push(...page.items)
        after = page.next ?? undefined
        more = page.next !== null
      }
      expect(seen.map(({ key }) => key)).toEqual(Array.from({ length: 30 }, (_, i) => `id = ${i * 100 + 7}`))
      expect(seen[0]).toEqual({
        table: 't',
        key: 'id = 7',
        column: 'v',
        value: 'x␀',
        reason: expect.any(String),
      })
      const download = await console.migration.download(run.id, 'rejects.ndjson')
      expect(download.body.trim().split('\n')).toHaveLength(30)

      const accept = (rejected: number) =>
        console.migration.acceptRejects({ id: run.id, rejected, caller: admin })
      await expect(accept(29)).rejects.toMatchObject({ code: 'CONFLICT' })
      await accept(30)
      expect((await console.migration.getRun(run.id)).accepted).toEqual({
        by: admin.actor,
        at: expect.any(Number),
        rejected: 30,
      })
      expect(await auditOf(console, run.id)).toContain('sys_migration_rejects_accepted')
      await console.migration.deleteRun({ id: run.id, caller: admin })
      expect(existsSync(file)).toBe(false)
    })

    it('pause the run past its limit until the limit is raised', async () => {
      const console = await openTestConsole(later, dialect)
      const run = await planned(console, 3_000, (i) => i % 100 === 7)
      const limit = (perTable: number) =>
        console.migration.rejectLimits({ id: run.id, rejects: { perTable, perRun: 1_000 }, caller: admin })
      await limit(10)
      await start(console, run)
      const paused = await console.until(run.id, ({ state }) => state === 'paused')
      expect(paused.error).toMatchObject({ code: 'REJECTS_EXCEEDED', resumable: true })
      await limit(100)
      await console.migration.resumeRun({ id: run.id, caller: admin })
      const done = await console.until(run.id, ended)
      expect(done.report).toMatchObject({ rows: 2_970, rejected: 30 })
      expect((await console.migration.rejects({ id: run.id, limit: 1 })).total).toBe(30)
    })

    it('are gone when the run is cancelled', async () => {
      const console = await openTestConsole(later, dialect)
      const run = await planned(console, 3_000, (i) => i % 100 === 7)
      await console.migration.rejectLimits({
        id: run.id,
        rejects: { perTable: 10, perRun: 10 },
        caller: admin,
      })
      await start(console, run)
      await console.until(run.id, ({ state }) => state === 'paused')
      expect((await console.migration.rejects({ id: run.id, limit: 1 })).total).toBeGreaterThan(10)
      await console.migration.cancelRun({ id: run.id, caller: admin })
      expect((await console.until(run.id, ended)).state).toBe('cancelled')
      expect(existsSync(join(console.dataDir, 'migrations', run.id))).toBe(false)
    })
  },
)

describe('rejected rows of the console’s own store', { timeout: 120_000 }, () => {
  needsPostgres()

  it('hold back the switchover until somebody accepts them', async () => {
    const console = await openTestConsole(later, 'sqlite')
    const { id } = await console.migration.createRun(admin, {
      source: { kind: 'store' },
      target: { kind: 'environment' },
      schema: 'public',
    })
    await console.until(id, ({ phase }) => phase === null)
    const file = new BetterSqlite3(console.storeFile as string)
    file.prepare(`INSERT INTO meta (key, value) VALUES ('odd', '"a' || char(0) || '"')`).run()
    file.close()
    const unseen = await console.migration.getRun(id)
    const checks = unseen.checks.filter(({ state }) => state === 'amber').map((check) => check.id)
    if (checks.length > 0) await console.migration.acknowledge({ id, checks, caller: admin })
    await start(console, unseen)
    const done = await console.until(id, ended)
    expect(done.report?.rejected).toBe(1)
    const switchOver = async () =>
      console.migration.switchOver({
        id,
        caller: admin,
        grantId: await console.grant(id, 'migration.switchOver'),
      })
    await expect(switchOver()).rejects.toMatchObject({
      code: 'CONFLICT',
      message: '1 row was rejected and nobody has accepted that.',
    })
    expect(console.store.dialect).toBe('sqlite')
    await console.migration.acceptRejects({ id, rejected: 1, caller: admin })
    await switchOver()
    expect(console.store.dialect).toBe('postgresql')
  })
})

const ended = ({ state }: Run) => ['completed', 'failed', 'cancelled'].includes(state)

async function planned(console: TestConsole, rows: number, bad: (i: number) => boolean): Promise<Run> {
  const path = join(console.sourceDir, 'odd.db')
  const db = new BetterSqlite3(path)
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)')
  const insert = db.prepare('INSERT INTO t VALUES (?, ?)')
  db.transaction(() => {
    for (let i = 1; i <= rows; i++) insert.run(i, bad(i) ? 'x\0' : 'fine')
  })()
  db.close()
  const { id } = await console.migration.createRun(admin, {
    source: { kind: 'folder', path },
    target: { kind: 'environment' },
    schema: 'public',
  })
  return console.until(id, ({ phase }) => phase === null)
}

async function start(console: TestConsole, { id }: Run): Promise<void> {
  await console.migration.startRun({ id, caller: admin, grantId: await console.grant(id) })
}

async function started(console: TestConsole, rows: number, bad: (i: number) => boolean): Promise<Run> {
  const run = await planned(console, rows, bad)
  await start(console, run)
  return run
}

async function auditOf(console: TestConsole, id: string): Promise<string[]> {
  const { auditEvents } = console.store.tables
  const rows = await console.store.db.select().from(auditEvents).orderBy(auditEvents.seq)
  return rows.filter(({ target }) => target === `run:${id}`).map(({ event }) => event)
}
