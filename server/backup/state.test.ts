import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { system } from '@/server/audit'
import { noteBackup, noteOverdue } from './state'

const HOUR = 3_600_000

describeStores((open) => {
  it('tells once of each backup that grew too old, whoever looks, and again after the next one', async () => {
    const store = await open()
    const begun = 1_800_000_000_000
    const look = (hours: number) => store.run(noteOverdue, { maxAgeMs: 26 * HOUR, now: begun + hours * HOUR })
    const make = (hours: number) => {
      const at = begun + hours * HOUR
      return store.run(noteBackup, {
        ...{ last: { at, bytes: 7, path: '/b' }, by: system, now: at, key: 'sealed' },
      })
    }
    const { auditEvents } = store.tables
    const told = async () => {
      const rows = await store.db
        .select({ reason: auditEvents.reason })
        .from(auditEvents)
        .where(eq(auditEvents.event, 'sys_backup_overdue'))
        .orderBy(auditEvents.seq)
      return rows.map(({ reason }) => reason)
    }
    // A new store has as long as any other one before its first backup is missed.
    await look(0)
    await look(26)
    expect(await told()).toEqual([])
    await Promise.all([look(27), look(27), look(28)])
    expect(await told()).toEqual(['No backup was ever made.'])
    await make(30)
    await look(56)
    expect(await told()).toHaveLength(1)
    await look(57)
    await look(90)
    expect(await told()).toEqual([
      'No backup was ever made.',
      `The last backup is of ${new Date(begun + 30 * HOUR).toISOString()}.`,
    ])
  })
})
