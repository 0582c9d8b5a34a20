import { asc, eq } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores, testAuditKey } from '@/db/testing/stores'
import { unguardAudit } from '@/db/testing/unguard'
import { q, unit } from '@/db/unit'
import { type AuditEvent, appendAudit, recordAudit, system } from './append'
import type { AuditRow } from './chain'
import { verifyRows } from './verify'

const facts = { key: (id: string) => (id === testAuditKey.id ? testAuditKey.key : undefined) }

function event(number: number): AuditEvent {
  return {
    ...system,
    time: 1_700_000_000_000 + number,
    event: 'sys_startup',
    outcome: 'success',
    target: `number:${number}`,
    after: { number, password: 'hunter2', nested: { apiKey: 'x', name: 'straße \u0000 \ud800' } },
  }
}

async function rowsOf(store: Store): Promise<AuditRow[]> {
  const { auditEvents } = store.tables
  return store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
}

async function headOf(store: Store) {
  const [head] = await store.db.select().from(store.tables.auditHead)
  return head
}

const append500 = unit('test.append-500', function* (tx, from: number) {
  for (let number = from; number < from + 500; number++) yield* appendAudit(tx, event(number))
})

describeStores((open, dialect) => {
  it('chains 500 events that verify, up to the head', async () => {
    const store = await open()
    await store.run(append500, 1)
    const rows = await rowsOf(store)
    expect(rows.map((row) => row.seq)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1))
    const head = await headOf(store)
    expect(head).toMatchObject({ seq: 500, hash: rows[499]?.hash })
    expect(verifyRows(rows, { ...facts, head })).toEqual([])
  })

  it('keeps no secret of before and after', async () => {
    const store = await open()
    await store.run(recordAudit, event(1))
    const [row] = await rowsOf(store)
    expect(row?.after).not.toContain('hunter2')
    expect(JSON.parse(row?.after ?? '')).toMatchObject({ number: 1, password: '[cut]' })
  })

  it('appends nothing when the unit around it fails', async () => {
    const store = await open()
    const failing = unit('test.fail', function* (tx, input: number) {
      yield* appendAudit(tx, event(input))
      throw new Error('changed its mind')
    })
    await expect(store.run(failing, 1)).rejects.toThrow('changed its mind')
    expect(await rowsOf(store)).toEqual([])
  })

  it('takes line breaks out of what a client chose', async () => {
    const store = await open()
    await store.run(recordAudit, { ...event(1), userAgent: 'curl\r\n{"forged":true}\u2028' })
    expect((await rowsOf(store))[0]?.userAgent).toBe('curl  {"forged":true} ')
  })

  it('never forks under parallel writers', async () => {
    const store = await open({ connections: 16 })
    await Promise.all(Array.from({ length: 120 }, (_, number) => store.run(recordAudit, event(number))))
    const rows = await rowsOf(store)
    expect(rows).toHaveLength(120)
    expect(new Set(rows.map((row) => row.target)).size).toBe(120)
    expect(verifyRows(rows, { ...facts, head: await headOf(store) })).toEqual([])
  })

  it('names a row that was changed behind its back', async () => {
    const store = await open()
    await store.run(append500, 1)
    const tamper = unit('test.tamper', function* (tx, seq: number) {
      const { auditEvents } = tx.tables
      yield* q(tx.db.update(auditEvents).set({ actor: 'nobody' }).where(eq(auditEvents.seq, seq)))
    })
    await expect(store.run(tamper, 77)).rejects.toThrow()
    await unguardAudit(store)
    await store.run(tamper, 77)
    expect(verifyRows(await rowsOf(store), facts)).toEqual([{ kind: 'modified', seq: 77 }])
  })

  it(`refuses a second follower of one event (${dialect})`, async () => {
    const store = await open()
    await store.run(append500, 1)
    const rows = await rowsOf(store)
    // As a writer would stand who read the head without locking it.
    const stale = unit('test.stale-head', function* (tx, { seq, hash }: AuditRow) {
      yield* q(tx.db.update(tx.tables.auditHead).set({ seq, hash }))
    })
    await store.run(stale, rows.at(-2) as AuditRow)
    await expect(store.run(recordAudit, event(1))).rejects.toThrow()
    expect(await rowsOf(store)).toEqual(rows)
  })
})

describe('verifyRows', () => {
  it('names what is missing, cut, swapped and signed with another key', async () => {
    const { openTestSqlite } = await import('@/db/testing/stores')
    const undo: (() => unknown)[] = []
    const store = await openTestSqlite((step) => undo.push(step))
    await store.run(append500, 1)
    const rows = (await rowsOf(store)).slice(0, 6)
    const head = { seq: 6, hash: rows[5]?.hash ?? '' }
    for (const step of undo.reverse()) await step()

    const without = (seq: number) => rows.filter((row) => row.seq !== seq)
    expect(verifyRows(without(3), { ...facts, head })).toEqual([{ kind: 'missing', seq: 3 }])
    expect(verifyRows(without(6), { ...facts, head })).toEqual([{ kind: 'truncated', seq: 6 }])
    const [a, b, ...rest] = rows
    const swapped = verifyRows([b, a, ...rest] as AuditRow[], { ...facts, head })
    expect(swapped.map((found) => found.kind)).toContain('reordered')
    const forged = verifyRows(rows, { key: () => new Uint8Array(32), head })
    expect(forged.map((found) => found.kind)).toEqual(Array(6).fill('modified'))
    expect(verifyRows(rows, { key: () => undefined, head })[0]?.kind).toBe('unknown key')
  })
})
