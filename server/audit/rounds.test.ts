import { eq, lte } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores, testAuditKey } from '@/db/testing/stores'
import { unguardAudit } from '@/db/testing/unguard'
import { openLog } from '@/server/log'
import { system } from './append'
import type { Found } from './judge'
import { Rounds } from './rounds'
import { recordAuditBatch } from './writer'

const begin = Date.UTC(2026, 0, 5)

async function fill(store: Store, events: number): Promise<void> {
  const rows = Array.from({ length: events }, (_, number) => ({
    ...{ ...system, time: begin + number, event: 'user_created' as const, outcome: 'success' as const },
    target: `user:${number}`,
  }))
  for (let at = 0; at < events; at += 400) await store.run(recordAuditBatch, rows.slice(at, at + 400))
}

/** One instance's rounds, half a minute later at each slice. */
function instance(store: Store, { prunedTo = 0, clock = { at: begin } } = {}) {
  const broken: Found[] = []
  const rounds = new Rounds({
    ...{ store, clock: { now: () => clock.at }, log: openLog('error') },
    keys: { macs: new Map([[testAuditKey.id, testAuditKey.key]]) },
    prunedTo: async () => prunedTo,
    broken: (found) => broken.push(...found),
  })
  const slice = async () => {
    clock.at += 30_000
    await rounds.slice()
    return rounds.state()
  }
  return { rounds, broken, slice, clock }
}

describeStores((open) => {
  it('go over the log by slices, begin anew at its end, and are shared by all instances', async () => {
    const store = await open()
    const one = instance(store)
    expect(await one.slice()).toBeNull()
    await fill(store, 1_200)
    expect(await one.slice()).toMatchObject({ seq: 500, last: null })
    const two = instance(store, { clock: one.clock })
    // Another instance has just done so.
    await two.rounds.slice()
    expect(await two.rounds.state()).toMatchObject({ seq: 500 })
    expect(await two.slice()).toMatchObject({ seq: 1_000 })
    expect(await one.slice()).toMatchObject({ seq: 0, last: { startedAt: begin + 60_000, to: 1_200 } })
    expect(await one.slice()).toMatchObject({ seq: 500, last: { to: 1_200 } })
    expect([...one.broken, ...two.broken]).toEqual([])
  })

  it('find what was changed anywhere, also between two slices', async () => {
    const store = await open()
    await fill(store, 700)
    await unguardAudit(store)
    const { auditEvents: at } = store.tables
    const { slice, broken } = instance(store)
    await store.db.update(at).set({ reason: 'nothing' }).where(eq(at.seq, 321))
    await slice()
    expect(broken).toMatchObject([{ kind: 'modified', seq: 321, to: 321 }])
    await store.db.delete(at).where(eq(at.seq, 501))
    await slice()
    expect(broken[1]).toMatchObject({ kind: 'missing', seq: 501, to: 501 })
  })

  it.each([
    [600, 0],
    [599, 1],
  ])('take a beginning for missing unless retention dropped it: up to %i', async (prunedTo, found) => {
    const store = await open()
    await fill(store, 700)
    await unguardAudit(store)
    const { auditEvents: at } = store.tables
    await store.db.delete(at).where(lte(at.seq, 600))
    const { slice, broken } = instance(store, { prunedTo })
    await slice()
    expect(broken).toHaveLength(found)
  })
})
