import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { recordAudit, system } from '@/server/audit'
import { AuditFollower } from './audit-follower'

describeStores((open) => {
  it('tells of every growth of the log once', async () => {
    const store = await open()
    const told: number[] = []
    const follower = new AuditFollower({ store, publish: (seq) => told.push(seq) })
    const write = () =>
      store.run(recordAudit, { ...system, time: 1_700_000_000_000, event: 'sys_startup', outcome: 'success' })
    await follower.look()
    expect(told).toEqual([])
    await write()
    await write()
    await follower.look()
    await follower.look()
    expect(told).toEqual([2])
    await write()
    await follower.look()
    expect(told).toEqual([2, 3])
  })

  it('goes on after a look that failed', async () => {
    const store = await open()
    await store.run(recordAudit, {
      ...{ ...system, time: 1_700_000_000_000, event: 'sys_startup', outcome: 'success' },
    })
    const told: number[] = []
    let away = true
    const sometimes = {
      tables: store.tables,
      get db() {
        if (away) throw new Error('away')
        return store.db
      },
    }
    const follower = new AuditFollower({ store: sometimes, publish: (seq) => told.push(seq) })
    await follower.look()
    away = false
    await follower.look()
    expect(told).toEqual([1])
  })
})
