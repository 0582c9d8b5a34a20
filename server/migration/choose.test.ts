import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { needsPostgres } from '@/db/testing/shared'
import { undoAfterEach } from '@/db/testing/undo'
import { claimRun, releaseRuns } from './runs/drive-units'
import { admin, openTestConsole, type TestConsole } from './testing/console'
import type { Choices } from './types'

const later = undoAfterEach()

const SHOP = `
  PRAGMA foreign_keys = OFF;
  CREATE TABLE maker (id INTEGER PRIMARY KEY, name TEXT);
  CREATE TABLE item (id INTEGER PRIMARY KEY, maker INTEGER REFERENCES maker(id), size INTEGER, made INTEGER, secret TEXT);
  INSERT INTO maker VALUES (1, 'one'), (2, 'two');
  INSERT INTO item VALUES (1, 1, 4, 1700000000, 's'), (2, 2, 5, 1700000001, 't'), (3, 7, NULL, NULL, 'u');`

// Each test runs worker processes, several at once on a small machine.
describe.each(['sqlite', 'postgresql'] as const)(
  'choices of a run of a console on %s',
  { timeout: 120_000 },
  (dialect) => {
    needsPostgres()

    async function planned(
      change: (store: TestConsole['store']) => void = () => {},
    ): Promise<{ console: TestConsole; id: string; file: string }> {
      const console = await openTestConsole(later, dialect)
      change(console.store)
      const file = join(console.sourceDir, 'shop.db')
      new BetterSqlite3(file).exec(SHOP).close()
      const { id } = await console.migration.createRun(admin, {
        source: { kind: 'folder', path: file },
        target: { kind: 'environment' },
        schema: 'public',
      })
      await console.until(id, ({ phase }) => phase === null)
      return { console, id, file }
    }
    const choose = async (console: TestConsole, id: string, tables: Choices['tables']) => {
      await console.migration.choose({ id, caller: admin, choices: { version: 1, tables } })
      return console.until(id, ({ phase }) => phase === null)
    }

    it('make another plan without reading the rows again, and the run follows it', async () => {
      const { console, id } = await planned()
      const { checks } = await console.migration.getRun(id)
      expect(checks.find(({ state }) => state === 'amber')?.id).toBe('source-foreign-keys')
      await console.migration.acknowledge({ id, caller: admin, checks: ['source-foreign-keys'] })
      const run = await choose(console, id, {
        maker: { target: 'makers' },
        item: {
          columns: {
            secret: { exclude: true },
            size: { type: 'integer', target: 'item size' },
            made: { type: 'timestamp with time zone' },
          },
        },
      })
      expect(run.error).toBeNull()
      expect(run.choices?.tables).toHaveProperty('maker')
      expect(run.plan).not.toHaveProperty('kept')
      expect(run.checks.find(({ id: check }) => check === 'source-foreign-keys')).toHaveProperty(
        'acknowledged',
      )
      const log = (await console.migration.readLog(id, 100)).map(({ message }) => message)
      expect(log.filter((message) => message.startsWith('Preflight started'))).toHaveLength(1)
      expect(log.filter((message) => message.startsWith('Plan started'))).toHaveLength(2)

      await console.migration.startRun({ id, caller: admin, grantId: await console.grant(id) })
      const done = await console.until(id, ({ state }) => state === 'completed' || state === 'failed')
      expect(done.error).toBeNull()
      const client = new Client({ connectionString: console.targetUrl })
      await client.connect()
      const rows = await client.query('SELECT * FROM item ORDER BY id')
      await client.end()
      expect(rows.rows).toEqual([
        { id: '1', maker: '1', 'item size': 4, made: new Date(1_700_000_000_000) },
        { id: '2', maker: '2', 'item size': 5, made: new Date(1_700_000_001_000) },
        { id: '3', maker: '7', 'item size': null, made: null },
      ])
      const { auditEvents } = console.store.tables
      const events = (await console.store.db.select().from(auditEvents)).map(({ event }) => event)
      expect(events).toContain('sys_migration_choices')
    })

    it('are refused at once where they cannot be followed, and once the run has begun', async () => {
      const { console, id } = await planned()
      await expect(
        choose(console, id, { item: { columns: { size: { type: 'uuid' } } } }),
      ).rejects.toMatchObject({
        code: 'BAD_INPUT',
        message: expect.stringContaining('item.size can’t become uuid'),
      })
      const late = await choose(console, id, { item: { columns: { size: { nulls: 'default' } } } })
      expect(late.error).toMatchObject({ code: 'CHOICES_INVALID' })
      const grantId = await console.grant(id)
      await console.migration.acknowledge({ id, caller: admin, checks: ['source-foreign-keys'] })
      await expect(console.migration.startRun({ id, caller: admin, grantId })).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('no constant default'),
      })
      await choose(console, id, {})
      await console.migration.startRun({ id, caller: admin, grantId })
      await expect(choose(console, id, {})).rejects.toMatchObject({ code: 'CONFLICT' })
      await console.until(id, ({ state }) => state === 'completed')
    })

    it('wait until the plan before has given back its lease, which would take theirs along', async () => {
      const steps: string[] = []
      const { console, id } = await planned((store) => {
        const run = store.run.bind(store)
        store.run = async (unit: unknown, input: unknown) => {
          // A slow store: there is time enough for another to take the lease meanwhile.
          if (unit === releaseRuns) await setTimeout(300)
          const found = await run(unit as never, input as never)
          if (unit === releaseRuns) steps.push('given back')
          if (unit === claimRun) steps.push('taken')
          return found as never
        }
      })
      await choose(console, id, { item: { columns: { size: { type: 'text' } } } })
      await waitUntil('the last lease to be given back', async () => steps.length === 4)
      expect(steps).toEqual(['taken', 'given back', 'taken', 'given back'])
    })

    it('read the rows anew when the file was written to', async () => {
      const { console, id, file } = await planned()
      new BetterSqlite3(file).exec(`UPDATE item SET size = 'five' WHERE id = 2`).close()
      const run = await choose(console, id, { item: { columns: { size: { type: 'bigint' } } } })
      const size = run.plan?.tables.find(({ source }) => source === 'item')?.columns[2]
      expect(size).toMatchObject({ type: 'bigint' })
      expect(size?.fits).toBeDefined()
      expect(size?.options?.[0]).toMatchObject({ type: 'text' })
    })
  },
)
