import { join } from 'node:path'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { makeLibrary } from '@/db/testing/library'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { needsPostgres } from '@/db/testing/shared'
import { undoAfterEach } from '@/db/testing/undo'
import { claimRun, releaseRuns } from '../runs/drive-units'
import type { Run } from '../runs/run'
import { admin, openTestConsole, type TestConsole } from '../testing/console'

const later = undoAfterEach()

const ended = ({ state }: Run) => ['completed', 'failed', 'cancelled'].includes(state)
const waiting = ({ state, error }: Run) => state === 'paused' && error?.retryAt !== undefined

/** A console whose target is a server of its own, and a run that copies into it. */
async function working(dialect: 'sqlite' | 'postgresql') {
  const server = await startPostgres()
  later(() => server.stop())
  const { url } = await server.createDatabase()
  const console = await openTestConsole(later, dialect, { place: url })
  const counts = makeLibrary(join(console.sourceDir, 'library.db'), 60_000)
  const { id } = await console.migration.createRun(admin, {
    source: { kind: 'folder', path: join(console.sourceDir, 'library.db') },
    target: { kind: 'environment' },
    schema: 'public',
  })
  await console.until(id, ({ phase }) => phase === null)
  await console.migration.startRun({ id, caller: admin, grantId: await console.grant(id) })
  await console.until(id, ({ phase }) => phase === 'transfer')
  return { server, console, id, counts }
}

async function rowsAt({ targetUrl }: TestConsole, tables: string[]): Promise<Record<string, number>> {
  const client = new Client({ connectionString: targetUrl })
  await client.connect()
  const counts: Record<string, number> = {}
  for (const table of tables) {
    const { rows } = await client.query(`SELECT count(*)::int AS n FROM public."${table}"`)
    counts[table] = rows[0].n
  }
  await client.end()
  return counts
}

const audited = async ({ store }: TestConsole, event: string) => {
  const { auditEvents } = store.tables
  return (await store.db.select().from(auditEvents)).filter((one) => one.event === event).length
}

describe.each(['sqlite', 'postgresql'] as const)(
  'a run of a console on %s whose target is away',
  { timeout: 180_000 },
  (dialect) => {
    needsPostgres()

    it('waits with the reason and the time of the next try, over a restart, and goes on by itself', async () => {
      const { server, console, id, counts } = await working(dialect)
      await server.kill9()
      const first = await console.until(id, waiting)
      expect(first.error).toMatchObject({ heals: true, attempts: 1, remedy: expect.any(String) })
      await console.until(id, (run) => waiting(run) && (run.error?.attempts ?? 0) >= 2)
      expect(await audited(console, 'sys_migration_paused')).toBe(1)

      const migration = await console.restart()
      expect(waiting(await migration.getRun(id)) || (await migration.getRun(id)).state === 'running').toBe(
        true,
      )
      await server.start()
      const done = await console.until(id, ended)
      expect(done).toMatchObject({ state: 'completed', error: null })
      expect(await rowsAt(console, Object.keys(counts))).toEqual(counts)
    })

    it('is tried at once by the button, waits no more when it is paused, and is cancelled when the target is back', async () => {
      const { server, console, id } = await working(dialect)
      await server.kill9()
      await console.until(id, (run) => waiting(run) && (run.error?.attempts ?? 0) >= 2)
      await resumed(console, id)
      await console.until(id, waiting)
      await paused(console, id)
      const { state, error } = await console.migration.getRun(id)
      expect([state, error?.retryAt]).toEqual(['paused', undefined])
      expect(error?.code).toMatch(/^TARGET_/)

      await console.migration.cancelRun({ id, caller: admin })
      await console.until(id, (run) => run.state === 'cancelling' && run.error?.retryAt !== undefined)
      await server.start()
      expect((await console.until(id, ended)).state).toBe('cancelled')
      expect(await tablesOf(server, console)).toBe(0)
    })

    it('that a dead console held is taken over by another one when its lease has lapsed', async () => {
      const { console, id, counts } = await working(dialect)
      await console.migration.close()
      const now = Date.now()
      // What a console leaves that was killed: a run at work whose lease runs on.
      await console.store.run(claimRun, { id, owner: 'dead', now, until: now + 15_000 })
      const other = await console.another()
      if (dialect === 'postgresql') {
        expect((await other.getRun(id)).state).toBe('running')
        console.aheadMs = 16_000
      }
      const done = await console.until(id, ended)
      expect(done.state).toBe('completed')
      expect(await rowsAt(console, Object.keys(counts))).toEqual(counts)
      await console.store.run(releaseRuns, { owner: 'dead' })
    })
  },
)

/** The button, unless the run tries again by itself in this moment. */
async function resumed({ migration }: TestConsole, id: string): Promise<void> {
  await migration.resumeRun({ id, caller: admin }).catch((error) => expect(error.code).toBe('CONFLICT'))
}

/** Pauses a run that waits; one that has just begun a try is let go on until it waits again. */
async function paused(console: TestConsole, id: string): Promise<void> {
  for (;;) {
    await console.until(id, waiting)
    await console.migration.pauseRun({ id, caller: admin }).catch(() => {})
    const { state, error } = await console.migration.getRun(id)
    if (state === 'paused' && error !== null && error.retryAt === undefined) return
    if (state === 'paused' && error === null) await resumed(console, id)
  }
}

async function tablesOf(server: PostgresServer, { target }: TestConsole): Promise<number> {
  const rows = await server.query(
    `SELECT 1 FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    [],
    target.database,
  )
  return rows.length
}
