import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { q, unit } from '@/db/unit'
import { type BlockInput, blockNetwork } from './block-units'

const block = unit('test.block', (tx, input: BlockInput) => blockNetwork(tx, input))

const trust = unit('test.trust', function* (tx, network: string) {
  const row = { id: network, network, owner: 'Ana', reason: 'office', createdAt: 0, createdBy: 'ana' }
  yield* q(tx.db.insert(tx.tables.trustedSources).values(row))
})

const minute = 60_000
const at = 1_800_000_000_000
const byLimits = (network: string, now = at): BlockInput => ({
  ...{ network, origin: 'limits', reason: 'too many limit hits', createdBy: 'system', now },
})

const eventsOf = (store: Store) =>
  store.db.select().from(store.tables.auditEvents).orderBy(store.tables.auditEvents.seq)

describeStores((open) => {
  it('blocks a network for longer each time: 15 minutes, an hour, a day, and a day again', async () => {
    const store = await open()
    let now = at
    const lasted: number[] = []
    for (let round = 0; round < 4; round++) {
      const made = await store.run(block, byLimits('203.0.113.9', now))
      lasted.push(((made?.expiresAt as number) - now) / minute)
      now = made?.expiresAt as number
    }
    expect(lasted).toEqual([15, 60, 24 * 60, 24 * 60])
    const events = await eventsOf(store)
    expect(events.map(({ event }) => event)).toEqual(Array(4).fill('excess_address_blocked'))
    expect(events[1]).toMatchObject({
      address: '203.0.113.9',
      target: 'network:203.0.113.9',
      severity: 'medium',
    })
    expect(JSON.parse(events[1]?.after ?? '')).toMatchObject({ level: 1, origin: 'limits' })
  })

  it('forgets earlier blocks after 30 days, and those that somebody lifted', async () => {
    const store = await open()
    await store.run(block, byLimits('203.0.113.9'))
    const later = at + 31 * 86_400_000
    const second = await store.run(block, byLimits('203.0.113.9', later))
    expect(second?.expiresAt).toBe(later + 15 * minute)
    const lift = unit('test.lift', function* (tx, id: string) {
      const { blocks } = tx.tables
      yield* q(tx.db.update(blocks).set({ liftedAt: later }).where(eq(blocks.id, id)))
    })
    await store.run(lift, second?.blockId as string)
    const third = await store.run(block, byLimits('203.0.113.9', later + 1))
    expect(third?.expiresAt).toBe(later + 1 + 15 * minute)
  })

  it('makes one block of many that are asked for at once', async () => {
    const store = await open({ connections: 12 })
    const made = await Promise.all(
      Array.from({ length: 12 }, () => store.run(block, byLimits('2001:db8:0:1::5'))),
    )
    expect(made.filter((each) => each !== null)).toHaveLength(1)
    const rows = await store.db.select().from(store.tables.blocks)
    expect(rows.map(({ network, level }) => ({ network, level }))).toEqual([
      { network: '2001:db8:0:1::/64', level: 0 },
    ])
  })

  it('leaves alone what is blocked with a wider network, what is trusted, and what is no network', async () => {
    const store = await open()
    await store.run(block, { ...byLimits('203.0.113.0/24'), origin: 'person', durationMs: null })
    expect(await store.run(block, byLimits('203.0.113.9'))).toBeNull()
    await store.run(trust, '198.51.100.0/24')
    expect(await store.run(block, byLimits('198.51.100.7'))).toBeNull()
    expect(await store.run(block, byLimits('unknown'))).toBeNull()
    expect(await store.run(block, byLimits('198.51.101.7'))).not.toBeNull()
    expect((await eventsOf(store)).map(({ event }) => event)).toEqual([
      'sys_block_added',
      'excess_address_blocked',
    ])
  })

  it('blocks for as long as it is told, until somebody lifts it, or by durations of its own', async () => {
    const store = await open()
    const rule = { origin: 'rule', createdBy: 'brute force', findingId: 'finding-1' } as const
    const timed = await store.run(block, { ...byLimits('192.0.2.1'), ...rule, durationMs: 5_000 })
    expect(timed?.expiresAt).toBe(at + 5_000)
    const open_ = await store.run(block, { ...byLimits('192.0.2.2'), ...rule, durationMs: null })
    expect(open_?.expiresAt).toBeNull()
    const own = await store.run(block, { ...byLimits('192.0.2.3'), durationsMs: [1_000] })
    expect(own?.expiresAt).toBe(at + 1_000)
    const [first] = await store.db
      .select()
      .from(store.tables.blocks)
      .where(eq(store.tables.blocks.network, '192.0.2.1'))
    expect(first).toMatchObject({ findingId: 'finding-1', createdBy: 'brute force', origin: 'rule' })
  })
})
