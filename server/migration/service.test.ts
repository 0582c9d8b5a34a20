import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { describe, expect, it, vi } from 'vitest'
import { makeLibrary } from '@/db/testing/library'
import { needsPostgres } from '@/db/testing/shared'
import { undoAfterEach } from '@/db/testing/undo'
import { openLog } from '@/server/log'
import type { Run } from './runs/run'
import { admin, openTestConsole, type TestConsole } from './testing/console'

const later = undoAfterEach()

// Each test runs worker processes, several at once on a small machine.
describe.each(['sqlite', 'postgresql'] as const)(
  'migrations of a console on %s',
  { timeout: 120_000 },
  (dialect) => {
    needsPostgres()

    it('moves a file of the allowed folder: checked, planned, copied, validated, reported', async () => {
      const console = await openTestConsole(later, dialect)
      const counts = makeLibrary(join(console.sourceDir, 'library.db'), 6_000)
      const run = await started(console)
      const done = await console.until(run.id, ended)

      expect(done.state).toBe('completed')
      expect(done.error).toBeNull()
      expect(done.validation?.ok).toBe(true)
      expect(done.report?.rows).toBe(Object.values(counts).reduce((sum, rows) => sum + rows, 0))
      expect(await targetCounts(console)).toEqual(counts)
      // The worker forgets the run once the console has kept its end.
      await vi.waitFor(async () => expect(await bookkeepingLeft(console)).toBe(false), { timeout: 15_000 })
      const log = await console.migration.readLog(run.id, 100)
      expect(log.map(({ message }) => message).at(-1)).toMatch(/^Checking source/)
      expect(log[0]?.message).toBe('Completed.')
      expect(await auditOf(console, run.id)).toEqual([
        'sys_migration_planned',
        'sys_migration_started',
        'sys_migration_completed',
      ])
    })

    it('tells progress that never goes back, and of every table that changed', async () => {
      const console = await openTestConsole(later, dialect)
      const counts = makeLibrary(join(console.sourceDir, 'library.db'), 30_000)
      const run = await started(console)
      await console.until(run.id, ended)
      const transfer = console.news.flatMap(({ news }) => (news.phase === 'transfer' && news.progress) || [])
      const shares = transfer.filter(({ phase }) => phase === 'transfer').map(({ done }) => done)
      expect(shares.length).toBeGreaterThan(0)
      expect(shares).toEqual([...shares].sort((a, b) => a - b))
      const written = new Map(transfer.flatMap(({ tables }) => tables.map((one) => [one.table, one.written])))
      expect(Object.fromEntries(written)).toEqual(counts)
    })

    it('does not start without a grant, nor twice with one', async () => {
      const console = await openTestConsole(later, dialect)
      makeLibrary(join(console.sourceDir, 'library.db'), 600)
      const run = await planned(console)
      const start = (grantId: string | null) =>
        console.migration.startRun({ id: run.id, caller: admin, grantId })
      await expect(start(null)).rejects.toMatchObject({ code: 'STEP_UP_REQUIRED' })
      expect((await console.migration.getRun(run.id)).state).toBe('planned')
      const [grantId, another] = [await console.grant(run.id), await console.grant(run.id)]
      const starts = await Promise.allSettled([start(grantId), start(grantId), start(another)])
      expect(starts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      await console.until(run.id, ended)
    })

    it('goes on from the last committed batch when the worker is killed', async () => {
      const console = await openTestConsole(later, dialect)
      // Enough that it is still at work when it is killed.
      const counts = makeLibrary(join(console.sourceDir, 'library.db'), 300_000)
      const run = await started(console)
      await console.until(run.id, ({ phase }) => phase === 'transfer')
      process.kill(workerOf(), 'SIGKILL')
      const done = await console.until(run.id, ended)
      expect(done.state).toBe('completed')
      expect(await targetCounts(console)).toEqual(counts)
      const log = (await console.migration.readLog(run.id, 100)).map(({ message }) => message)
      expect(log.some((message) => message.includes('Another one goes on'))).toBe(true)
    })

    it('pauses, and a console that starts anew finds the run and resumes it', async () => {
      const console = await openTestConsole(later, dialect)
      const counts = makeLibrary(join(console.sourceDir, 'library.db'), 60_000)
      const run = await started(console)
      await console.until(run.id, ({ phase }) => phase === 'transfer')
      await console.migration.pauseRun({ id: run.id, caller: admin })
      const migration = await console.restart()
      expect((await migration.getRun(run.id)).state).toBe('paused')
      expect((await migration.listRuns())[0]).toMatchObject({ id: run.id, state: 'paused' })
      await migration.resumeRun({ id: run.id, caller: admin })
      const done = await console.until(run.id, ended)
      expect(done.state).toBe('completed')
      expect(await targetCounts(console)).toEqual(counts)
    })

    it('goes on by itself with a run that was at work when the console stopped', async () => {
      const console = await openTestConsole(later, dialect)
      const counts = makeLibrary(join(console.sourceDir, 'library.db'), 60_000)
      const run = await started(console)
      await console.until(run.id, ({ phase }) => phase === 'transfer')
      await console.restart()
      const done = await console.until(run.id, ended)
      expect(done.state).toBe('completed')
      expect(await targetCounts(console)).toEqual(counts)
    })

    it('leaves the target as it was when a run is cancelled', async () => {
      const console = await openTestConsole(later, dialect)
      makeLibrary(join(console.sourceDir, 'library.db'), 60_000)
      const run = await started(console)
      await console.until(run.id, ({ phase }) => phase === 'transfer')
      await console.migration.cancelRun({ id: run.id, caller: admin })
      const done = await console.until(run.id, ended)
      expect(done.state).toBe('cancelled')
      expect(await targetCounts(console)).toEqual({})
      expect(await bookkeepingLeft(console)).toBe(false)
      await console.migration.deleteRun({ id: run.id, caller: admin })
      expect(await console.migration.listRuns()).toEqual([])
    })

    it('refuses to start on a red check, and on an amber one until it is acknowledged', async () => {
      const console = await openTestConsole(later, dialect)
      const file = join(console.sourceDir, 'library.db')
      makeLibrary(file, 600)
      const orphaned = new BetterSqlite3(file)
      orphaned.pragma('foreign_keys = OFF')
      orphaned.exec("INSERT INTO books (id, author_id, title) VALUES (999999, 888888, 'orphan')")
      orphaned.close()
      const run = await planned(console)
      const amber = run.checks.filter(({ state }) => state === 'amber').map(({ id }) => id)
      expect(amber).toEqual(['source-foreign-keys'])
      const start = async () =>
        console.migration.startRun({ id: run.id, caller: admin, grantId: await console.grant(run.id) })
      await expect(start()).rejects.toMatchObject({ code: 'CHECK_FAILED' })
      await console.migration.acknowledge({ id: run.id, caller: admin, checks: amber })
      await start()
      expect((await console.until(run.id, ended)).state).toBe('completed')

      const second = await planned(console)
      expect(second.checks.some(({ state }) => state === 'red')).toBe(true)
      await expect(
        console.migration.startRun({ id: second.id, caller: admin, grantId: await console.grant(second.id) }),
      ).rejects.toThrow()
    })

    it('lists SQLite files of the allowed folders alone, and takes no link that leads out', async () => {
      const console = await openTestConsole(later, dialect)
      const outside = mkdtempSync(join(tmpdir(), 'holdfast-outside-'))
      later(() => rmSync(outside, { recursive: true }))
      makeLibrary(join(outside, 'secret.db'), 60)
      makeLibrary(join(console.sourceDir, 'library.db'), 60)
      writeFileSync(join(console.sourceDir, 'notes.txt'), 'SQLite format 2, not three')
      symlinkSync(join(outside, 'secret.db'), join(console.sourceDir, 'link.db'))
      symlinkSync(outside, join(console.sourceDir, 'linked'))
      const { files, store } = await console.migration.sources()
      expect(files.map(({ name }) => name)).toEqual(['library.db'])
      expect(files[0]?.sizeBytes).toBe(statSync(join(console.sourceDir, 'library.db')).size)
      expect(store === null).toBe(dialect === 'postgresql')
      const out = join(console.sourceDir, '..', '..', outside.slice(tmpdir().length), 'secret.db')
      for (const path of [
        join(console.sourceDir, 'link.db'),
        join(console.sourceDir, 'linked/secret.db'),
        out,
      ]) {
        await expect(create(console, path)).rejects.toMatchObject({
          code: 'FORBIDDEN',
        })
      }
      await expect(create(console, join(console.sourceDir, 'notes.txt'))).rejects.toMatchObject({
        code: 'BAD_INPUT',
      })
    })

    it('keeps a connection without ever showing its password, and migrates through it', async () => {
      const console = await openTestConsole(later, dialect)
      const { host, port, database, user, password } = console.target
      const input = { name: 'staging', host, port, database, user, ssl: false, password }
      const kept = await console.migration.createConnection(admin, input)
      await expect(console.migration.createConnection(admin, input)).rejects.toMatchObject({
        code: 'CONFLICT',
      })
      expect(JSON.stringify([kept, await console.migration.targets()])).not.toContain(password)
      const { connections, auditEvents } = console.store.tables
      const stored = [
        await console.store.db.select().from(connections),
        await console.store.db.select().from(auditEvents),
      ]
      expect(JSON.stringify(stored)).not.toContain(password)
      const { password: _, ...renamed } = { ...input, name: 'production' }
      await console.migration.updateConnection(admin, kept.id, renamed)
      const ref = { kind: 'connection', id: kept.id } as const
      expect(await console.migration.resolveTarget(ref)).toMatchObject({ password, host })

      makeLibrary(join(console.sourceDir, 'library.db'), 600)
      const source = { kind: 'folder', path: join(console.sourceDir, 'library.db') } as const
      const run = await console.migration.createRun(admin, { source, target: ref, schema: 'moved' })
      const ready = await console.until(run.id, ({ phase }) => phase === null)
      expect(ready.error).toBeNull()
      await console.migration.startRun({ id: run.id, caller: admin, grantId: await console.grant(run.id) })
      expect((await console.until(run.id, ended)).state).toBe('completed')
      await console.migration.deleteConnection(admin, kept.id)
      expect((await console.migration.targets()).connections).toEqual([])
    })

    it('ends without an error what is at work for a run that is deleted', async () => {
      const lines: string[] = []
      const log = openLog('debug', (line) => lines.push(line))
      const console = await openTestConsole(later, dialect, { log })
      makeLibrary(join(console.sourceDir, 'library.db'), 60_000)
      const { id } = await create(console, join(console.sourceDir, 'library.db'))
      await expect.poll(() => console.migration.readLog(id, 1)).not.toEqual([])
      await console.migration.deleteRun({ id, caller: admin })
      await expect.poll(() => lines.filter((line) => line.includes('migration run is gone'))).not.toEqual([])
      expect(lines.filter((line) => line.includes('"level":"error"'))).toEqual([])
    })

    it('receives an upload whole or not at all, and deletes it after its run', async () => {
      const console = await openTestConsole(later, dialect)
      const file = join(console.dataDir, 'local.db')
      makeLibrary(file, 600)
      const bytes = readFileSync(file)
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const send = (change: {
        sizeBytes?: number
        sha256?: string | null
        body?: AsyncIterable<Uint8Array>
      }) =>
        console.migration.receiveUpload(admin, {
          name: 'library.db',
          body: pieces(bytes),
          sizeBytes: bytes.length,
          sha256,
          ...change,
        })
      const refused = { sha256: '0'.repeat(64) }
      await expect(send(refused)).rejects.toMatchObject({ code: 'CHECK_FAILED' })
      await expect(send({ sizeBytes: bytes.length + 1 })).rejects.toMatchObject({ code: 'BAD_INPUT' })
      await expect(send({ sizeBytes: bytes.length - 1 })).rejects.toMatchObject({ code: 'BAD_INPUT' })
      await expect(send({ sizeBytes: 2 ** 40 })).rejects.toMatchObject({ code: 'TOO_LARGE' })
      const text = Buffer.alloc(bytes.length, 'x')
      await expect(send({ body: pieces(text), sha256: null })).rejects.toMatchObject({ code: 'BAD_INPUT' })
      expect(existsSync(join(console.dataDir, 'uploads')) && readdirCount(console)).toBe(0)

      const upload = await send({})
      expect(upload.sha256).toBe(sha256)
      expect(readdirCount(console)).toBe(1)
      const run = await console.migration.createRun(admin, {
        source: { kind: 'upload', id: upload.id },
        target: { kind: 'environment' },
        schema: 'public',
      })
      await console.until(run.id, ({ phase }) => phase === null)
      await console.migration.startRun({ id: run.id, caller: admin, grantId: await console.grant(run.id) })
      expect((await console.until(run.id, ended)).state).toBe('completed')
      expect(readdirCount(console)).toBe(0)
    })

    it('clears uploads of yesterday at the next start, and files that nobody knows', async () => {
      const console = await openTestConsole(later, dialect)
      const file = join(console.dataDir, 'local.db')
      makeLibrary(file, 60)
      const bytes = readFileSync(file)
      const request = { name: 'library.db', sizeBytes: bytes.length, sha256: null }
      const kept = await console.migration.receiveUpload(admin, { ...request, body: pieces(bytes) })
      for (const name of ['half.part', 'unknown.sqlite'])
        writeFileSync(join(console.dataDir, 'uploads', name), bytes)
      await console.restart()
      expect(readdirSync(join(console.dataDir, 'uploads'))).toEqual([`${kept.id}.sqlite`])
      console.aheadMs = 25 * 3_600_000
      await console.restart()
      expect(readdirCount(console)).toBe(0)
      const source = { kind: 'upload', id: kept.id } as const
      await expect(
        console.migration.createRun(admin, { source, target: { kind: 'environment' }, schema: 'public' }),
      ).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  },
)

const ended = ({ state }: Run) => ['completed', 'failed', 'cancelled'].includes(state)

function create(console: TestConsole, path: string): Promise<Run> {
  return console.migration.createRun(admin, {
    source: { kind: 'folder', path },
    target: { kind: 'environment' },
    schema: 'public',
  })
}

async function planned(console: TestConsole): Promise<Run> {
  const { id } = await create(console, join(console.sourceDir, 'library.db'))
  return console.until(id, ({ phase }) => phase === null)
}

async function started(console: TestConsole): Promise<Run> {
  const run = await planned(console)
  expect(run.error).toBeNull()
  expect(run.plan?.tables).toHaveLength(6)
  await console.migration.startRun({ id: run.id, caller: admin, grantId: await console.grant(run.id) })
  return run
}

async function onTarget<Row>(console: TestConsole, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: console.targetUrl })
  await client.connect()
  try {
    return (await client.query(sql, values)).rows
  } finally {
    await client.end()
  }
}

async function targetCounts(console: TestConsole): Promise<Record<string, number>> {
  const tables = await onTarget<{ name: string }>(
    console,
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
  )
  const counts: Record<string, number> = {}
  for (const { name } of tables) {
    const [row] = await onTarget<{ n: number }>(console, `SELECT count(*)::int AS n FROM public."${name}"`)
    counts[name] = row?.n ?? -1
  }
  return counts
}

async function bookkeepingLeft(console: TestConsole): Promise<boolean> {
  return (
    (await onTarget(console, `SELECT 1 FROM pg_namespace WHERE nspname = 'holdfast_migration'`)).length > 0
  )
}

async function auditOf(console: TestConsole, id: string): Promise<string[]> {
  const { auditEvents } = console.store.tables
  const rows = await console.store.db.select().from(auditEvents).orderBy(auditEvents.seq)
  return rows.filter(({ target }) => target === `run:${id}`).map(({ event }) => event)
}

/** The worker process that this test process has forked. */
function workerOf(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ')
  const worker = children.find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('migration-worker'),
  )
  return Number(worker)
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000)
}

const readdirCount = ({ dataDir }: TestConsole) => readdirSync(join(dataDir, 'uploads')).length
