import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { eq, getTableColumns, getTableName } from 'drizzle-orm'
import { afterEach, describe, expect, it } from 'vitest'
import { retiredReason } from '@/db/retired'
import { needsPostgres } from '@/db/testing/shared'
import { testAuditKey } from '@/db/testing/stores'
import { q, unit } from '@/db/unit'
import { recordAudit, verifyRows } from '@/server/audit'
import { openVault } from '@/server/vault'
import type { Run } from '../runs/runs'
import { admin, openSide, openTestConsole, type TestConsole } from '../testing/console'
import { CAPTURE_TABLE } from './capture'
import { readStoreChoice } from './store-choice'

needsPostgres()

const undo: (() => unknown)[] = []
const later = (step: () => unknown) => undo.push(step)
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

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

type Row = Record<string, unknown>

const add = unit('test.add', function* (tx, { id }: { id: string }) {
  const row = { id, email: `${id}@example.org`, name: id, role: 'viewer', state: 'active' } as const
  yield* q(tx.db.insert(tx.tables.users).values({ ...row, createdAt: 1, updatedAt: 1 }))
  yield* q(
    tx.db.insert(tx.tables.sessions).values({
      id: `session-${id}`,
      userId: id,
      methods: ['pwd'],
      device: 'é👩‍👧',
      deviceHash: '',
      address: '::1',
      ...{ createdAt: 1, lastUsedAt: 1, idleExpiresAt: 2 ** 45, expiresAt: 2 ** 45 },
    }),
  )
})

const addMany = unit('test.addMany', function* (tx, { ids }: { ids: string[] }) {
  for (const id of ids) yield* add.work(tx, { id })
})

const remove = unit('test.remove', function* (tx, { id }: { id: string }) {
  yield* q(tx.db.delete(tx.tables.users).where(eq(tx.tables.users.id, id)))
})

/** One row goes with what hangs on it, its e-mail address goes to another one, a new row comes. */
const change = unit('test.change', function* (tx, { gone, renamed }: { gone: string; renamed: string }) {
  const { users } = tx.tables
  yield* remove.work(tx, { id: gone })
  yield* q(
    tx.db
      .update(users)
      .set({ email: `${gone}@example.org` })
      .where(eq(users.id, renamed)),
  )
  yield* add.work(tx, { id: 'new' })
})

/** History of the console: measurements, hours of statements, an index that was made. */
const measure = unit('test.measure', function* (tx, { at }: { at: number }) {
  const { metricRollups, statementRollups, indexChanges, leases } = tx.tables
  const step = { instance: 'one', step: 60_000, at, samples: 60, firstAt: at, lastAt: at + 59_999 }
  const values = JSON.stringify([[0.125], [1e12 + 0.5], [60]])
  yield* q(tx.db.insert(metricRollups).values({ ...step, id: `one:${at}`, names: 'n', values }))
  const hour = { fingerprint: 'f', at, writer: 'one', calls: 3, total: 2 ** 52, longest: null, rows: 0 }
  yield* q(tx.db.insert(statementRollups).values({ ...hour, id: `f:${at}:one` }))
  yield* q(tx.db.insert(leases).values({ name: `lease-${at}`, owner: 'one', until: at }))
  const time = { calls: 20, meanMs: 12.345678901234567, from: 1, to: at }
  yield* q(
    tx.db.insert(indexChanges).values({
      ...{ id: `change-${at}`, key: 'k', kind: 'create', dialect: 'sqlite', table: 't', index: 'i' },
      ...{ ddl: 'CREATE INDEX i ON t ("é")', undo: 'DROP INDEX i', state: 'applied', actor: 'ada' },
      ...{ requestedAt: at, finishedAt: at, fingerprints: ['f'], before: time, after: null },
      counted: { one: { last: { calls: 1, totalMs: 0.1 }, since: { calls: 0, totalMs: 0 } } },
    }),
  )
})

const unfinish = unit('test.unfinish', function* (tx, { id }: { id: string }) {
  const { migrationRuns: runs } = tx.tables
  yield* q(tx.db.update(runs).set({ state: 'completed', phase: 'switchover' }).where(eq(runs.id, id)))
})

async function fill(console: TestConsole, rows: number): Promise<void> {
  await console.store.run(addMany, { ids: Array.from({ length: rows }, (_, i) => `user-${i}`) })
}

/** A run of the own store, copied and validated. */
async function copied(console: TestConsole): Promise<Run> {
  const { id } = await console.migration.createRun(admin, {
    source: { kind: 'store' },
    target: { kind: 'environment' },
    schema: 'public',
  })
  const planned = await console.until(id, ({ phase }) => phase === null)
  expect(planned.error).toBeNull()
  expect(planned.plan?.tables.find(({ source }) => source === 'connections')?.columns.at(7)?.type).toBe(
    'boolean',
  )
  await console.migration.startRun({ id, caller: admin, grantId: await console.grant(id) })
  const done = await console.until(id, ({ state }) => state === 'completed' || state === 'failed')
  expect(done.error).toBeNull()
  expect(done.validation?.ok).toBe(true)
  expect(done.validation?.checks.filter(({ state }) => state !== 'green')).toEqual([])
  return done
}

async function switchOver(console: TestConsole, { id }: Run) {
  const grantId = await console.grant(id, 'migration.switchOver')
  return console.migration.switchOver({ id, caller: admin, grantId })
}

/** Between two writes of one writer: 20 writers make 200 writes a second. */
const PACE_MS = 100

/** Writers that add one user after the other until they are stopped. */
function startWriters(console: TestConsole, count: number) {
  const written: string[] = []
  const failures: unknown[] = []
  let stopping = false
  let wake = () => {}
  const writer = async (n: number) => {
    for (let i = 0; !stopping; i++) {
      const id = `live-${n}-${i}`
      try {
        await console.store.run(add, { id })
        written.push(id)
        wake()
      } catch (error) {
        failures.push(error)
      }
      await new Promise((done) => setTimeout(done, PACE_MS))
    }
  }
  const all = Array.from({ length: count }, (_, n) => writer(n))
  return {
    failures,
    written: () => written.length,
    async until(rows: number) {
      while (written.length < rows) {
        await new Promise<void>((done) => {
          wake = done
        })
      }
    },
    async stop() {
      stopping = true
      await Promise.all(all)
      return written
    },
  }
}

async function names(console: TestConsole): Promise<string[]> {
  const { users } = console.store.tables
  const rows = await console.store.db.select({ id: users.id }).from(users)
  return rows
    .map(({ id }) => id)
    .filter((id) => !id.startsWith('user-'))
    .sort()
}

/** All rows of all tables as the console reads them, in the order of their keys. */
async function everyRow({ store }: TestConsole): Promise<Record<string, Row[]>> {
  const all: Record<string, Row[]> = {}
  for (const table of Object.values(store.tables)) {
    const [key = ''] = Object.entries(getTableColumns(table)).find(([, { primary }]) => primary) ?? []
    const rows = (await store.db.select().from(table)) as Row[]
    all[getTableName(table)] = rows.sort((a, b) => (String(a[key]) < String(b[key]) ? -1 : 1))
  }
  return all
}
