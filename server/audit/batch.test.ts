import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { asc } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { openPostgres } from '@/db/open'
import { Store } from '@/db/store'
import { openPool } from '@/db/testing/pools'
import { createDatabase, emptyStore, needsPostgres } from '@/db/testing/shared'
import { describeStores, testAuditKey } from '@/db/testing/stores'
import { unit } from '@/db/unit'
import { type AuditEvent, appendAudit, appendAuditBatch, mostInBatch, system } from './append'
import type { AppenderSetUp } from './testing/appender'
import { verifyRows } from './verify'
import { openAuditWriter } from './writer'

const key = (id: string) => (id === testAuditKey.id ? testAuditKey.key : undefined)
const append = unit('test.append', (tx, events: AuditEvent[]) => appendAuditBatch(tx, events))

const event = (number: number, more: Partial<AuditEvent> = {}): AuditEvent => ({
  ...system,
  ...{ time: 1_700_000_000_000 + number, event: 'sys_startup', outcome: 'success' },
  ...more,
})

async function logOf(store: Store) {
  const { auditEvents, auditHead } = store.tables
  const rows = await store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
  const [head] = await store.db.select().from(auditHead)
  if (!head) throw new Error('The log has no head.')
  return { rows, breaks: verifyRows(rows, { key, head }) }
}

/** What would end an array's element, a JSON string or a field if it were not written out with care. */
const tricky = [
  '',
  'NULL',
  'null',
  '"',
  '\\',
  '\\"',
  '{a,b}',
  "it's",
  ' padded ',
  '$1',
  '🦊 straße',
  '%s',
  '}'.repeat(50),
]

describeStores((open) => {
  it('chains a batch as it chains single events, each value as it was given', async () => {
    const store = await open()
    const events = tricky.map((text, number) =>
      event(number, { actor: text, target: text, reason: text, source: text, after: { text, [text]: 1 } }),
    )
    expect(await store.run(append, [event(-1)])).toEqual({ first: 1, last: 1 })
    expect(await store.run(append, events)).toEqual({ first: 2, last: tricky.length + 1 })
    await store.run(append, [event(99)])
    const { rows, breaks } = await logOf(store)
    expect(breaks).toEqual([])
    expect(rows).toHaveLength(tricky.length + 2)
    for (const [number, text] of tricky.entries()) {
      const row = rows[number + 1]
      expect(row).toMatchObject({ actor: text, target: text, reason: text, source: text, actorId: null })
      expect(JSON.parse(row?.after ?? '')).toEqual({ text, [text]: 1 })
    }
  })

  it('takes 500 events at once and not one more, nor none', async () => {
    const store = await open()
    const many = Array.from({ length: mostInBatch + 1 }, (_, number) => event(number))
    await expect(store.run(append, many)).rejects.toThrow('1 to 500')
    await expect(store.run(append, [])).rejects.toThrow('1 to 500')
    expect(await store.run(append, many.slice(1))).toEqual({ first: 1, last: 500 })
    const { rows, breaks } = await logOf(store)
    expect([rows.length, breaks]).toEqual([500, []])
  })

  it('appends all of a batch or nothing', async () => {
    const store = await open()
    const failing = unit('test.fail', function* (tx, events: AuditEvent[]) {
      yield* appendAuditBatch(tx, events)
      yield* appendAudit(tx, event(3))
      throw new Error('changed its mind')
    })
    await expect(store.run(failing, [event(1), event(2)])).rejects.toThrow('changed its mind')
    const { rows } = await store.run(append, [event(4)]).then(() => logOf(store))
    expect(rows.map(({ seq, time }) => [seq, time])).toEqual([[1, event(4).time]])
  })

  it('leaves nothing in an event that turns the reading direction', async () => {
    const store = await open()
    await store.run(append, [event(1, { actor: 'ann\u202eexe.\u2066txt\u200f' })])
    expect((await logOf(store)).rows[0]?.actor).toBe('ann exe. txt ')
  })

  describe('a writer of events', () => {
    it('commits together what came together, and answers each with its own seq', async () => {
      const store = await open()
      const writer = openAuditWriter({ store })
      const seqs = await Promise.all(
        Array.from({ length: 1_200 }, (_, number) => writer.write(event(number, { target: String(number) }))),
      )
      const { rows, breaks } = await logOf(store)
      expect(breaks).toEqual([])
      expect(seqs.map((seq) => rows[seq - 1]?.target)).toEqual(seqs.map((_, number) => String(number)))
      await writer.close()
    })

    it('keeps a faulty event from taking others with it', async () => {
      const store = await open()
      const writer = openAuditWriter({ store })
      const faulty = writer.write(event(1, { after: { big: 1n } }))
      const good = writer.write(event(2))
      await expect(faulty).rejects.toThrow(TypeError)
      expect(await good).toBe(1)
      await writer.close()
    })

    it('refuses what it has no room for, and writes what it holds before it closes', async () => {
      const store = await open()
      const writer = openAuditWriter({ store }, { most: 3 })
      const given = Array.from({ length: 5 }, (_, number) => writer.write(event(number)))
      const settled = Promise.allSettled(given)
      await writer.close()
      const outcomes = (await settled).map((each) =>
        each.status === 'fulfilled' ? each.value : each.reason.code,
      )
      expect(outcomes).toEqual([1, 2, 3, 'DATABASE_UNAVAILABLE', 'DATABASE_UNAVAILABLE'])
      await expect(writer.write(event(9))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
      expect((await logOf(store)).rows).toHaveLength(3)
    })
  })
})

describe('several processes', () => {
  needsPostgres()

  it('append batches of every size to one chain', async () => {
    const { url, drop } = await createDatabase(emptyStore)
    const pool = openPool({ connectionString: url })
    try {
      const sizes = [1, 500, 7, 120, 1, 64, 333, 2]
      const auditKey = { id: testAuditKey.id, key: Buffer.from(testAuditKey.key).toString('base64') }
      const file = join(process.cwd(), 'dist/testing/appender.mjs')
      const exits = ['a', 'b', 'c', 'd'].map((name) => {
        const setUp: AppenderSetUp = { url, auditKey, name, sizes }
        return once(fork(file, [JSON.stringify(setUp)], { execArgv: [] }), 'exit')
      })
      expect((await Promise.all(exits)).map(([code]) => code)).toEqual([0, 0, 0, 0])
      const { rows, breaks } = await logOf(new Store(openPostgres(pool), testAuditKey))
      expect(breaks).toEqual([])
      const all = sizes.reduce((sum, size) => sum + size) * exits.length
      expect(new Set(rows.map(({ target }) => target)).size).toBe(all)
      // A batch stands together, whoever wrote beside it.
      const batches = rows.map(({ target }) => target?.split(':').slice(0, 2).join(':'))
      expect(batches.filter((batch, at) => batch !== batches[at - 1])).toHaveLength(sizes.length * 4)
    } finally {
      await pool.end()
      await drop()
    }
  })
})
