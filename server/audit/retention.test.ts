import { randomUUID } from 'node:crypto'
import { asc, eq, sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores, testAuditKey } from '@/db/testing/stores'
import { q, unit } from '@/db/unit'
import { inputHash, makeGrant } from '@/server/grants'
import { openLog } from '@/server/log'
import { type AuditEvent, appendAuditBatch, type Caller, recordAudit, system } from './append'
import { edgeOfEvent, PRUNED } from './landmarks'
import { openRetention } from './retention'
import { verifyRows } from './verify'

const DAY = 86_400_000
const log = openLog('error')
const admin: Caller = { ...system, actor: 'ana@example.org', sessionId: 'session' }
const append = unit('test.append', (tx, events: AuditEvent[]) => appendAuditBatch(tx, events))

async function rowsOf(store: Store) {
  const { auditEvents } = store.tables
  return store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
}

async function endOf(store: Store) {
  const [head] = await store.db.select().from(store.tables.auditHead)
  return head ? { epoch: head.epoch, seq: head.seq, hash: head.hash } : null
}

/** 3,000 events, 100 of each of the last 30 days, and a retention whose checkpoints sign the end. */
async function filled(store: Store, checkpoint = () => endOf(store)) {
  const now = Date.now()
  const events = Array.from({ length: 3_000 }, (_, at): AuditEvent => {
    const time = now - 30 * DAY + 1_000 + Math.floor(at / 100) * DAY
    return { ...system, time, event: 'sys_test', outcome: 'success', target: `number:${at + 1}` }
  })
  for (let at = 0; at < events.length; at += 500) await store.run(append, events.slice(at, at + 500))
  const clock = { now: () => now }
  const retention = openRetention({ store, clock, log, checkpoint })
  const allowed = async (action: string, input: object) => {
    const grant = { sessionId: 'session', method: 'otp' as const, by: admin, now }
    const { grantId } = await store.run(makeGrant, { ...grant, action, inputHash: inputHash(input) })
    return { by: admin, grantId }
  }
  return { retention, allowed, now }
}

describeStores((open, dialect) => {
  it('drops what is older than the retention, says so in the log, and what stays still verifies', async () => {
    const store = await open()
    const { retention, allowed } = await filled(store)
    expect(await retention.state()).toEqual({ days: null, edge: null })
    await retention.tend()
    expect(await rowsOf(store)).toHaveLength(3_000)
    await retention.set({ days: 10 }, await allowed('security.audit.setRetention', { days: 10 }))
    await retention.tend()
    const rows = await rowsOf(store)
    const { edge, days } = await retention.state()
    expect(days).toBe(10)
    expect(edge).toMatchObject({ seq: 2_000, by: 'system' })
    expect(rows[0]?.seq).toBe(2_001)
    const event = rows.find((row) => row.event === PRUNED)
    expect(JSON.parse(event?.after ?? '')).toMatchObject({ events: 2_000, from: 1 })
    expect(edgeOfEvent(event ?? { after: null })).toMatchObject({ seq: 2_000, hash: edge?.hash })
    const head = await endOf(store)
    const facts = { key: () => testAuditKey.key, after: edge ?? { seq: 0, hash: '' } }
    expect(verifyRows(rows, { ...facts, ...(head && { head }) })).toEqual([])
    expect(rows.map((row) => row.event)).toContain('sys_audit_retention_changed')
  })

  it('drops once a day, whichever instance comes first', async () => {
    const store = await open()
    const { retention, allowed, now } = await filled(store)
    await retention.set({ days: 20 }, await allowed('security.audit.setRetention', { days: 20 }))
    const clock = { now: () => now }
    const other = openRetention({ store, clock, log, checkpoint: () => endOf(store) })
    await Promise.all([retention.tend(), other.tend()])
    await other.tend()
    expect((await rowsOf(store)).filter(({ event }) => event === PRUNED)).toHaveLength(1)
  })

  it('asks for a step-up, and for a checkpoint that fits the log', async () => {
    const store = await open()
    let signed: Awaited<ReturnType<typeof endOf>> = null
    const { retention, allowed } = await filled(store, async () => signed)
    const prune = async () => retention.prune({ days: 5 }, await allowed('security.audit.prune', { days: 5 }))
    await expect(retention.prune({ days: 5 }, { by: admin, grantId: randomUUID() })).rejects.toMatchObject({
      code: 'STEP_UP_REQUIRED',
    })
    await expect(prune()).rejects.toMatchObject({ code: 'CONFLICT', message: /no checkpoint/ })
    signed = { epoch: 1, seq: 2_900, hash: 'f'.repeat(64) }
    await expect(prune()).rejects.toMatchObject({ code: 'CONFLICT', message: /does not fit/ })
    expect((await rowsOf(store))[0]?.seq).toBe(1)
    const [row] = await store.db
      .select()
      .from(store.tables.auditEvents)
      .where(eq(store.tables.auditEvents.seq, 1_200))
    signed = { epoch: 1, seq: 1_200, hash: row?.hash ?? '' }
    // Not past the checkpoint, however old.
    expect(await prune()).toMatchObject({ events: 1_200, edge: { seq: 1_200, by: admin.actor } })
    expect((await rowsOf(store))[0]?.seq).toBe(1_201)
  })

  it('keeps the last event, and goes on where a stop left it', async () => {
    const store = await open()
    const { retention, allowed, now } = await filled(store)
    const ahead = { now: () => now + 400 * DAY }
    const stopped = openRetention({ store, clock: ahead, log, checkpoint: () => endOf(store) })
    await retention.set({ days: 5 }, await allowed('security.audit.setRetention', { days: 5 }))
    await stopped.close()
    await stopped.tend()
    expect((await rowsOf(store))[0]?.seq).toBe(1)
    const next = openRetention({
      store,
      clock: { now: () => now + 402 * DAY },
      log,
      checkpoint: () => endOf(store),
    })
    if (dialect === 'postgresql') {
      // The database's own clock does not believe that: it keeps the last day.
      await expect(next.tend()).rejects.toThrow()
      return
    }
    await next.tend()
    const rows = await rowsOf(store)
    expect(rows.at(-1)?.event).toBe(PRUNED)
    expect(rows.length).toBeLessThan(10)
  })

  it('refuses every other change of the log inside the database', async () => {
    const store = await open()
    await filled(store)
    const { auditEvents } = store.tables
    const changes = [
      unit('test.update', function* (tx, _: null) {
        yield* q(tx.db.update(auditEvents).set({ actor: 'nobody' }).where(eq(auditEvents.seq, 7)))
      }),
      unit('test.delete', function* (tx, _: null) {
        yield* q(tx.db.delete(auditEvents).where(eq(auditEvents.seq, 7)))
      }),
      ...(dialect === 'postgresql'
        ? [
            unit('test.truncate', function* (tx, _: null) {
              yield* q(tx.db.execute(sql`truncate audit_events`))
            }),
          ]
        : []),
    ]
    for (const change of changes) await expect(store.run(change, null)).rejects.toThrow()
    expect(await rowsOf(store)).toHaveLength(3_000)
    await store.run(recordAudit, { ...system, time: 1, event: 'sys_test', outcome: 'success' })
  })
})
