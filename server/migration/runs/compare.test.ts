import { join } from 'node:path'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { makeLibrary } from '@/db/testing/library'
import { needsPostgres } from '@/db/testing/shared'
import { undoAfterEach } from '@/db/testing/undo'
import { admin, openTestConsole, type TestConsole } from '../testing/console'
import type { Run } from './run'

const later = undoAfterEach()

describe.each(['sqlite', 'postgresql'] as const)(
  'comparing on a console on %s',
  { timeout: 120_000 },
  (dialect) => {
    needsPostgres()

    it('compares an ended run again at any time, and keeps what it found', async () => {
      const console = await openTestConsole(later, dialect)
      makeLibrary(join(console.sourceDir, 'library.db'), 600)
      const { id } = await carried(console, 'migrate')
      await onTarget(console, `UPDATE books SET title = 'other' WHERE id = 7`)
      await console.migration.validateRun({ id, caller: admin })
      await expect(console.migration.validateRun({ id, caller: admin })).rejects.toMatchObject({
        code: 'CONFLICT',
      })
      const red = await console.until(id, ({ phase }) => phase === null)
      expect([red.state, red.validation?.ok]).toEqual(['completed', false])
      const books = red.validation?.tables.find(({ table }) => table === 'books')
      expect(books?.difference?.key).toBe('id = 7')
      expect(books?.difference?.columns.find(({ column }) => column === 'title')?.target).toBe('other')
    })

    it('makes runs that only compare: they write nothing and end completed, green or red', async () => {
      const console = await openTestConsole(later, dialect)
      makeLibrary(join(console.sourceDir, 'library.db'), 600)
      const made = await carried(console, 'migrate')
      await console.migration.deleteRun({ id: made.id, caller: admin })
      const green = await carried(console, 'compare')
      expect(green).toMatchObject({ state: 'completed', purpose: 'compare', error: null })
      expect(green.validation?.ok).toBe(true)
      expect(green.plan?.mode).toBe('compare')
      await onTarget(console, 'DELETE FROM loans WHERE ctid = (SELECT min(ctid) FROM loans)')
      const red = await carried(console, 'compare')
      expect([red.state, red.validation?.ok, red.report?.validation.ok]).toEqual(['completed', false, false])
      const schemas = await onTarget(
        console,
        `SELECT 1 FROM pg_namespace WHERE nspname = 'holdfast_migration'`,
      )
      expect(schemas).toHaveLength(0)
    })
  },
)

const ended = ({ state }: Run) => ['completed', 'failed', 'cancelled'].includes(state)

async function carried(console: TestConsole, purpose: 'migrate' | 'compare'): Promise<Run> {
  const { id } = await console.migration.createRun(admin, {
    source: { kind: 'folder', path: join(console.sourceDir, 'library.db') },
    target: { kind: 'environment' },
    schema: 'public',
    purpose,
  })
  const planned = await console.until(id, ({ phase }) => phase === null)
  expect([planned.error, planned.checks.filter(({ state }) => state === 'red')]).toEqual([null, []])
  await console.migration.startRun({ id, caller: admin, grantId: await console.grant(id) })
  return console.until(id, ended)
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
