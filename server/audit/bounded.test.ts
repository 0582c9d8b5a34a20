import { asc } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { openLog } from '@/server/log'
import { type AuditEvent, system } from './append'
import { openBoundedNotes } from './bounded'

const refusal = (actor: string): Omit<AuditEvent, 'time'> => ({
  ...{ ...system, actor, event: 'authz_fail', outcome: 'denied', target: 'procedure:security.setRole' },
  after: { permission: 'security:manage' },
})

describeStores((open) => {
  async function opened(most?: number) {
    const store = await open()
    const clock = { at: 1_800_000_000_000, now: () => clock.at }
    const notes = openBoundedNotes(
      { store, clock, log: openLog('error') },
      most === undefined ? {} : { most },
    )
    const rows = async () => {
      const { auditEvents } = store.tables
      const all = await store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
      return all.map(({ actor, after }) => ({ actor, ...JSON.parse(after ?? '{}') }))
    }
    return { notes, clock, rows }
  }

  it('writes the first of a loop, the tenth and the hundredth, and the others as one a minute later', async () => {
    const { notes, clock, rows } = await opened()
    for (let time = 0; time < 500; time++) notes.note('vera', refusal('vera'))
    await notes.sweep()
    const said = { actor: 'vera', permission: 'security:manage' }
    expect(await rows()).toEqual([said, { ...said, count: 9 }, { ...said, count: 90 }])
    clock.at += 60_000
    await notes.sweep()
    expect((await rows()).slice(3)).toEqual([{ ...said, count: 400 }])
  })

  it('tells what is left at the end, and forgets who has stopped', async () => {
    const { notes, clock, rows } = await opened()
    notes.note('vera', refusal('vera'))
    notes.note('vera', refusal('vera'))
    notes.note('otto', refusal('otto'))
    clock.at += 60_000
    await notes.sweep()
    expect((await rows()).map(({ actor }) => actor)).toEqual(['vera', 'otto', 'vera'])
    clock.at += 60_000
    await notes.sweep()
    notes.note('vera', refusal('vera'))
    notes.note('vera', refusal('vera'))
    await notes.close()
    expect((await rows()).slice(3)).toEqual(Array(2).fill({ actor: 'vera', permission: 'security:manage' }))
  })

  it('counts keys beyond its memory together', async () => {
    const { notes, rows } = await opened(10)
    for (let key = 0; key < 1_000; key++) notes.note(`key ${key}`, refusal(`key ${key}`))
    await notes.close()
    const all = await rows()
    expect(all.length).toBeLessThan(16)
    expect(all.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(1_000)
  })
})
