import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isOneTree, startCollector } from '@/db/testing/collector'
import { makeLibrary } from '@/db/testing/library'
import { needsPostgres } from '@/db/testing/shared'
import { undoAfterEach } from '@/db/testing/undo'
import { openLog } from '@/server/log'
import { openTracing } from '@/server/tracing'
import { admin, openTestConsole } from '../testing/console'

const later = undoAfterEach()
needsPostgres()

it('gives a run a trace of its phases and of every batch that was committed', async () => {
  const collector = await startCollector()
  later(() => collector.close())
  const trace = await openTracing(
    { log: openLog('error'), version: '1', instance: 'one' },
    {
      ...{ endpoint: collector.url, headers: {}, service: 'console', resource: {} },
      ...{ sampler: 'always_on', samplerArgument: undefined },
    },
  )
  const console = await openTestConsole(later, 'sqlite', { trace })
  const counts = makeLibrary(join(console.sourceDir, 'library.db'), 600)
  const file = join(console.sourceDir, 'library.db')
  const { id } = await console.migration.createRun(admin, {
    source: { kind: 'folder', path: file },
    target: { kind: 'environment' },
    schema: 'public',
  })
  await console.until(id, ({ phase }) => phase === null)
  await console.migration.startRun({ id, caller: admin, grantId: await console.grant(id) })
  await console.until(id, ({ state }) => state === 'completed')
  await console.migration.close()
  await trace?.close()

  const start = collector.spans.find(({ name }) => name === 'migration start')
  const spans = collector.spans.filter(({ traceId }) => traceId === start?.traceId)
  expect(start?.attributes).toEqual({ 'holdfast.run': id })
  expect(isOneTree(spans)).toBe(true)
  const transfer = spans.find(({ name }) => name === 'migration phase transfer')
  expect(transfer?.parentSpanId).toBe(start?.spanId)
  const batches = spans.filter(({ name }) => name === 'migration batch')
  expect(new Set(batches.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([transfer?.spanId]))
  const rows: Record<string, number> = {}
  for (const { attributes } of batches) {
    const table = String(attributes['holdfast.table'])
    rows[table] = (rows[table] ?? 0) + Number(attributes['holdfast.rows'])
  }
  expect(rows).toEqual(counts)
}, 120_000)
