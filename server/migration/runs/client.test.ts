import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { expect, it, vi } from 'vitest'
import { createDatabase, needsPostgres } from '@/db/testing/shared'
import { undoAfterEach } from '@/db/testing/undo'
import { makePlan } from './client'

vi.setConfig({ testTimeout: 120_000 })
const later = undoAfterEach()

needsPostgres()

it('hears the whole of a plan that is larger than the channel, though the console is busy', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-large-plan-'))
  later(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'many.db')
  const source = new BetterSqlite3(path)
  const tables = Array.from(
    { length: 400 },
    (_, at) => `CREATE TABLE t${at} (id INTEGER PRIMARY KEY, a TEXT, b REAL);`,
  )
  source.exec(tables.join('\n'))
  source.close()
  const { url, drop } = await createDatabase()
  later(drop)
  const { hostname, port, username, password, pathname } = new URL(url)
  const target = {
    ...{ host: hostname, port: Number(port), user: username, password: decodeURIComponent(password) },
    ...{ database: pathname.slice(1), schema: 'public' },
  }
  const busy = () => {
    const until = performance.now() + 250
    while (performance.now() < until);
  }
  const job = { runId: 'large', source: path, target, mode: 'create' as const }
  const plan = await makePlan(job as never, { onEvent: busy })
  expect(plan?.tables).toHaveLength(400)
})
