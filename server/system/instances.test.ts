import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { q, unit } from '@/db/unit'
import { openLog } from '@/server/log'
import { openInstances } from './instances'

const setSeen = unit('test.setSeen', function* (tx, { id, seenAt }: { id: string; seenAt: number }) {
  const { instances } = tx.tables
  yield* q(tx.db.update(instances).set({ seenAt }).where(eq(instances.id, id)))
})

/** One entry, as its process made it and then died. */
const leaveBehind = unit('test.leaveBehind', function* (tx, { id, at }: { id: string; at: number }) {
  const row = { id, name: `host:${id}`, version: '0.1.0', startedAt: at, seenAt: at }
  yield* q(tx.db.insert(tx.tables.instances).values(row))
})

describeStores((open, dialect) => {
  const clock = { at: 1_000_000, now: () => clock.at }
  const openOne = (store: Store, id: string) =>
    openInstances({ store, clock, id, version: '0.2.0', log: openLog('error') })
  const idsOf = async ({ list }: ReturnType<typeof openOne>) => (await list()).map(({ id }) => id)

  it('enters a console at its start and takes it out at its end', async () => {
    const store = await open()
    const one = openOne(store, 'one')
    await one.start()
    expect(await one.list()).toEqual([
      {
        id: 'one',
        name: expect.stringMatching(new RegExp(`.:${process.pid}$`)),
        ...{ version: '0.2.0', startedAt: clock.at, seenAt: clock.at },
      },
    ])
    await one.close()
    expect(await one.list()).toEqual([])
  })

  it('counts one that was not seen for 15 s as gone, and takes it out', async () => {
    const store = await open()
    const one = openOne(store, 'one')
    await one.start()
    await store.run(leaveBehind, { id: 'late', at: clock.at - 15_001 })
    await store.run(leaveBehind, { id: 'live', at: clock.at - 14_000 })
    expect(await idsOf(one)).toEqual(['live', 'one'])
    const two = openOne(store, 'two')
    clock.at += 1
    await two.start()
    const rows = await store.db.select().from(store.tables.instances)
    // On SQLite one process alone serves the store, so that whoever was entered before is gone.
    const expected = dialect === 'sqlite' ? ['two'] : ['live', 'one', 'two']
    expect(rows.map(({ id }) => id).sort()).toEqual(expected)
    await Promise.all([one.close(), two.close()])
  })

  it('enters one again that was taken out while it stood still', async () => {
    const store = await open()
    const one = openOne(store, 'one')
    await one.start()
    await store.run(setSeen, { id: 'one', seenAt: clock.at - 60_000 })
    expect(await idsOf(one)).toEqual([])
    const again = openOne(store, 'one')
    await again.start()
    expect(await idsOf(one)).toEqual(['one'])
    await Promise.all([one.close(), again.close()])
  })
})
