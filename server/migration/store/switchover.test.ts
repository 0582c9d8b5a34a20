import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { eq } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { retiredReason } from '@/db/retired'
import { needsPostgres } from '@/db/testing/shared'
import { testAuditKey } from '@/db/testing/stores'
import { undoAfterEach } from '@/db/testing/undo'
import { q, unit } from '@/db/unit'
import { recordAudit, verifyRows } from '@/server/audit'
import { openVault } from '@/server/vault'
import { admin, openSide, openTestConsole } from '../testing/console'
import {
  add,
  change,
  copied,
  everyRow,
  fill,
  measure,
  names,
  remove,
  startWriters,
  switchOver,
} from '../testing/moves'
import { CAPTURE_TABLE } from './capture'
import { readStoreChoice } from './store-choice'

needsPostgres()

const later = undoAfterEach()

// Each test runs worker processes, several at once on a small machine.
describe('switchover of the own store', { timeout: 120_000 }, () => {
  it('moves the running console while 20 writers go on: none fails, none is lost', async () => {
    const console = await openTestConsole(later, 'sqlite')
    await fill(console, 2_000)
    const run = await copied(console)
    const writers = startWriters(console, 20)
    await writers.until(100)
    const { pauseMilliseconds, retiredFile } = await switchOver(console, run)
    await writers.until(writers.written() + 100)
    const written = await writers.stop()

    expect(console.store.dialect).toBe('postgresql')
    expect(console.database().dialect).toBe('postgresql')
    // Beside the admin, who asked for it.
    expect(await names(console)).toEqual([...written, 'admin'].sort())
    expect(writers.failures).toEqual([])
    expect(pauseMilliseconds).toBeLessThan(5_000)
    expect(retiredFile).toBe(console.storeFile)
    const moved = await console.migration.getRun(run.id)
    expect(moved.state).toBe('switched_over')
    expect(moved.report?.switchover?.pauseMilliseconds).toBe(pauseMilliseconds)
  })

  it('brings every table over as it was, changed rows and deleted ones included', async () => {
    const console = await openTestConsole(later, 'sqlite')
    await fill(console, 300)
    await console.store.run(measure, { at: 1_767_614_400_000 })
    const run = await copied(console)
    await console.store.run(measure, { at: 1_767_614_460_000 })
    await console.store.run(change, { gone: 'user-7', renamed: 'user-9' })
    await console.store.run(recordAudit, { ...admin, time: 5, event: 'sys_test', outcome: 'success' })
    const grantId = await console.grant(run.id, 'migration.switchOver')
    const before = await everyRow(console)
    await console.migration.switchOver({ id: run.id, caller: admin, grantId })
    const after = await everyRow(console)
    // The switchover itself writes to these, and uses its grant up.
    const ours = ['migration_runs', 'migration_log', 'audit_events', 'audit_head']
    const grant = after.step_up_grants?.find(({ id }) => id === grantId)
    expect(grant?.usedAt).toEqual(expect.any(Number))
    if (grant) grant.usedAt = null
    for (const table of Object.keys(before).filter((name) => !ours.includes(name))) {
      expect(after[table], table).toEqual(before[table])
    }
    expect(after.users?.some(({ id }) => id === 'user-7')).toBe(false)
    const events = await console.store.db.select().from(console.store.tables.auditEvents)
    expect(events.map(({ event }) => event)).toContain('sys_migration_switched_over')
    const inOrder = events.sort((a, b) => a.seq - b.seq)
    expect(verifyRows(inOrder, { key: () => testAuditKey.key })).toEqual([])
  })

  it('keeps the choice sealed, marks the old file retired and read-only, and removes what noted the writes', async () => {
    const console = await openTestConsole(later, 'sqlite')
    await fill(console, 10)
    await switchOver(console, await copied(console))
    const file = join(console.dataDir, 'store.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).not.toContain(console.target.password)
    const choice = readStoreChoice(console.dataDir, openVault(Buffer.alloc(32, 5)))
    expect(choice).toMatchObject({ target: console.target, retiredFile: console.storeFile })
    expect(() => readStoreChoice(console.dataDir, openVault(Buffer.alloc(32, 6)))).toThrow(/master key/)
    const old = console.storeFile as string
    expect(statSync(old).mode & 0o777).toBe(0o444)
    expect(retiredReason(old)).toMatch(/was retired on .* when the console moved to PostgreSQL/)
    const client = new BetterSqlite3(old, { readonly: true })
    later(() => client.close())
    const left = client.prepare(`SELECT name FROM sqlite_schema WHERE name LIKE '${CAPTURE_TABLE}%'`).all()
    expect(left).toEqual([])
    expect(existsSync(`${old}-wal`)).toBe(false)
  })

  it('is refused without a grant, for another source, and a second time', async () => {
    const console = await openTestConsole(later, 'sqlite')
    await fill(console, 10)
    const run = await copied(console)
    const ask = (grantId: string | null) =>
      console.migration.switchOver({ id: run.id, caller: admin, grantId })
    await expect(ask(null)).rejects.toMatchObject({ code: 'STEP_UP_REQUIRED' })
    const grant = () => console.grant(run.id, 'migration.switchOver')
    const grants = [await grant(), await grant(), await grant()]
    const both = await Promise.allSettled([ask(grants[0] ?? null), ask(grants[1] ?? null)])
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await expect(ask(grants[2] ?? null)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('changes nothing when the target differs at the last check, and says so', async () => {
    const console = await openTestConsole(later, 'sqlite')
    await fill(console, 10)
    const run = await copied(console)
    const side = openSide(console.target, later)
    await side.handle.run(remove, { id: 'user-3' })
    await expect(switchOver(console, run)).rejects.toMatchObject({ code: 'CHECK_FAILED' })
    expect(console.store.dialect).toBe('sqlite')
    expect(existsSync(join(console.dataDir, 'store.json'))).toBe(false)
    await console.store.run(add, { id: 'later' })
    expect(await names(console)).toContain('later')
    const after = await console.migration.getRun(run.id)
    expect(after).toMatchObject({ state: 'completed', phase: null })
  })

  it('leaves an empty target when the run is cancelled after the copy', async () => {
    const console = await openTestConsole(later, 'sqlite')
    await fill(console, 10)
    const run = await copied(console)
    await console.migration.cancelRun({ id: run.id, caller: admin })
    const done = await console.until(run.id, ({ state }) => state === 'cancelled' || state === 'failed')
    expect(done.error).toBeNull()
    const side = openSide(console.target, later)
    const left = await side.handle.db.execute(
      `SELECT nspname AS name FROM pg_namespace WHERE nspname IN ('drizzle', 'holdfast_migration')
       UNION ALL SELECT tablename FROM pg_tables WHERE schemaname = 'public'`,
    )
    expect(left.rows).toEqual([])
  })

  it('is finished at the next start when the console died right after the choice was kept', async () => {
    const console = await openTestConsole(later, 'sqlite')
    await fill(console, 10)
    const run = await copied(console)
    await switchOver(console, run)
    // As the crash leaves it: the choice is kept, the run unfinished, the old file not marked.
    const old = console.storeFile as string
    chmodSync(old, 0o644)
    const client = new BetterSqlite3(old)
    client.prepare(`DELETE FROM meta WHERE key = 'retired'`).run()
    client.close()
    await console.store.run(unfinish, { id: run.id })
    await console.restart()
    expect((await console.migration.getRun(run.id)).state).toBe('switched_over')
    expect(retiredReason(old)).not.toBeNull()
  })
})

const unfinish = unit('test.unfinish', function* (tx, { id }: { id: string }) {
  const { migrationRuns: runs } = tx.tables
  yield* q(tx.db.update(runs).set({ state: 'completed', phase: 'switchover' }).where(eq(runs.id, id)))
})
