import { randomUUID } from 'node:crypto'
import { asc } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { q, unit } from '@/db/unit'
import { type NewAlert, raiseAlert } from './raise'

const raise = unit('test.raise', (tx, alert: NewAlert) => raiseAlert(tx, alert))
const raiseAndFail = unit('test.raise-and-fail', function* (tx, alert: NewAlert) {
  yield* raiseAlert(tx, alert)
  throw new Error('changed its mind')
})

const addChannels = unit('test.addChannels', function* (tx, now: number) {
  const channel = { kind: 'webhook' as const, config: {}, createdAt: now, createdBy: 'test', updatedAt: now }
  const rows = [
    { ...channel, id: randomUUID(), name: 'all', leastSeverity: 'info' as const, enabled: true },
    { ...channel, id: randomUUID(), name: 'medium', leastSeverity: 'medium' as const, enabled: true },
    { ...channel, id: randomUUID(), name: 'critical', leastSeverity: 'critical' as const, enabled: true },
    { ...channel, id: randomUUID(), name: 'off', leastSeverity: 'info' as const, enabled: false },
  ]
  yield* q(tx.db.insert(tx.tables.alertChannels).values(rows))
})

const alert: NewAlert = {
  ...{ key: 'brute-force:ana:1', findingId: null, severity: 'medium' },
  ...{ title: 'Many wrong passwords for ana', body: 'Seen 12 times.\nLook at the finding.', now: 1_000 },
}

async function deliveriesOf(store: Store): Promise<string[]> {
  const { alertDeliveries, alertChannels } = store.tables
  const rows = await store.db.select().from(alertDeliveries)
  const channels = await store.db.select().from(alertChannels).orderBy(asc(alertChannels.name))
  return channels.flatMap(({ id, name }) =>
    rows
      .filter((row) => row.channelId === id)
      .map(({ state, attempts, nextAt }) => `${name} ${state} ${attempts} ${nextAt}`),
  )
}

describeStores((open) => {
  it('raises an alert for the channels that are on and take its severity', async () => {
    const store = await open()
    await store.run(addChannels, 1)
    await store.run(raise, alert)
    const rows = await store.db.select().from(store.tables.alerts)
    expect(rows).toMatchObject([
      {
        key: alert.key,
        title: alert.title,
        body: alert.body,
        severity: 'medium',
        createdAt: 1_000,
        seenAt: null,
      },
    ])
    expect(await deliveriesOf(store)).toEqual(['all pending 0 1000', 'medium pending 0 1000'])
  })

  it('raises one alert of a key, however many raise it at once', async () => {
    const store = await open()
    await store.run(addChannels, 1)
    await Promise.all(Array.from({ length: 12 }, (_, at) => store.run(raise, { ...alert, now: 1_000 + at })))
    expect(await store.db.select().from(store.tables.alerts)).toHaveLength(1)
    expect(await deliveriesOf(store)).toHaveLength(2)
  })

  it('raises nothing when the unit around it fails', async () => {
    const store = await open()
    await store.run(addChannels, 1)
    await expect(store.run(raiseAndFail, alert)).rejects.toThrow('changed its mind')
    expect(await store.db.select().from(store.tables.alerts)).toEqual([])
    expect(await deliveriesOf(store)).toEqual([])
  })

  it('keeps the title on one line, and no characters that a database refuses', async () => {
    const store = await open()
    const title = 'Sign-in\r\nBcc: everybody@example.org \u0000\ud800'
    await store.run(raise, { ...alert, title, body: 'one\r\ntwo\u2028\u0000three' })
    const [row] = await store.db.select().from(store.tables.alerts)
    expect(row).toMatchObject({ title: 'Sign-in Bcc: everybody@example.org  ', body: 'one\ntwo three' })
  })
})
