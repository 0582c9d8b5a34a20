import { randomBytes } from 'node:crypto'
import { asc, eq } from 'drizzle-orm'
import { Webhook } from 'standardwebhooks'
import { afterEach, expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { type Receiver, startMailServer, startReceiver, until } from '@/db/testing/receivers'
import { describeStores } from '@/db/testing/stores'
import { openVault } from '@/server/vault'
import { ana, handClock, openInstance, raise, stepUp, url } from '../testing/alerts'
import type { NewAlert } from '.'
import { pauses } from './schedule'
import { leaseMs } from './sender'
import type { ChannelInput } from './types'

const undo: (() => unknown)[] = []
// Before the stores go: what is opened last ends first.
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const alert = (at: number, more: Partial<NewAlert> = {}): NewAlert => ({
  ...{ key: `key-${at}`, findingId: `finding-${at}`, severity: 'high', title: `Alert ${at}`, body: 'Why' },
  now: Date.now(),
  ...more,
})

async function receiver(...args: Parameters<typeof startReceiver>): Promise<Receiver> {
  const started = await startReceiver(...args)
  undo.push(started.close)
  return started
}

function instance(...args: Parameters<typeof openInstance>) {
  const opened = openInstance(...args)
  undo.push(opened.stop)
  return opened.alerts
}

const hook = (address: string): ChannelInput => ({
  ...{ kind: 'webhook', name: 'hook', leastSeverity: 'low', enabled: true, url: `${address}/hook` },
  headers: [{ name: 'Authorization', value: 'Bearer of the receiver' }],
})

async function add(store: Store, input: ChannelInput) {
  const { alerts, stop } = openInstance(store)
  const made = await alerts.channels.add(input, await stepUp(store, 'addChannel', input))
  await stop()
  return { id: made.id, secret: made.secret ?? '' }
}

const deliveries = (store: Store) =>
  store.db.select().from(store.tables.alertDeliveries).orderBy(asc(store.tables.alertDeliveries.createdAt))
const allDelivered = async (store: Store) =>
  (await deliveries(store)).every(({ state }) => state === 'delivered')
const events = async (store: Store, name: string) =>
  store.db.select().from(store.tables.auditEvents).where(eq(store.tables.auditEvents.event, name))

describeStores((open) => {
  it('sends a signed message that the receiver verifies, with its headers', async () => {
    const store = await open()
    const { url: address, received } = await receiver()
    const { secret } = await add(store, hook(address))
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    await store.run(raise, alert(1, { body: 'Why: straße ✓' }))
    instance(store).start()
    await until(() => allDelivered(store))
    const [message] = received
    if (!message) throw new Error('Nothing came.')
    const payload = new Webhook(secret).verify(message.body, message.headers as Record<string, string>)
    expect(payload).toMatchObject({
      type: 'alert.raised',
      data: {
        ...{
          key: 'key-1',
          severity: 'high',
          title: 'Alert 1',
          body: 'Why: straße ✓',
          findingId: 'finding-1',
        },
        url: `${url}/security/findings?finding=finding-1`,
      },
    })
    expect(message.headers).toMatchObject({
      ...{ authorization: 'Bearer of the receiver', 'content-type': 'application/json' },
    })
    const forged = message.body.replace('Alert 1', 'Alert 2')
    expect(() => new Webhook(secret).verify(forged, message.headers as Record<string, string>)).toThrow()
    expect(await deliveries(store)).toMatchObject([
      { state: 'delivered', attempts: 1, answer: '204', error: null },
    ])
  })

  it('sends each delivery once, however many instances there are', async () => {
    const store = await open()
    const { url: address, received } = await receiver()
    await add(store, hook(address))
    const instances = [instance(store), instance(store), instance(store)]
    for (const each of instances) each.start()
    for (let at = 0; at < 60; at++) await store.run(raise, alert(at))
    await until(async () => (await deliveries(store)).length === 60 && (await allDelivered(store)))
    expect(received).toHaveLength(60)
    expect(new Set(received.map(({ headers }) => headers['webhook-id']))).toHaveProperty('size', 60)
  })

  it('sends again with the same id what an instance that died had taken', async () => {
    const store = await open()
    const { url: address, received } = await receiver((at) => (at === 0 ? 'hang' : 204))
    const { secret } = await add(store, hook(address))
    const clock = handClock()
    await store.run(raise, alert(1))
    // It gets no answer and is cut off in the middle: to the store it is as one that was killed.
    const dying = openInstance(store, { clock })
    dying.alerts.start()
    await until(() => received.length === 1)
    const other = instance(store, { clock })
    other.start()
    const [held] = await deliveries(store)
    expect(held).toMatchObject({ state: 'pending', attempts: 1 })
    expect(received).toHaveLength(1)
    clock.pass(leaseMs + 1)
    await until(() => allDelivered(store))
    expect(received).toHaveLength(2)
    expect(received[1]?.headers['webhook-id']).toBe(received[0]?.headers['webhook-id'])
    for (const { body, headers } of received) {
      const now = Date.now()
      const age = Number(headers['webhook-timestamp']) * 1_000 - now
      expect(age).toBeLessThan(leaseMs + 10_000)
      expect(headers['webhook-signature']).toBe(
        new Webhook(secret).sign(
          String(headers['webhook-id']),
          new Date(Number(headers['webhook-timestamp']) * 1_000),
          body,
        ),
      )
    }
    await dying.stop()
    expect(await deliveries(store)).toMatchObject([{ state: 'delivered', attempts: 2 }])
  })

  it('gives back what it could not finish when it stops, and that was no try', async () => {
    const store = await open()
    const { url: address, received } = await receiver((at) => (at === 0 ? 'hang' : 204))
    await add(store, hook(address))
    await store.run(raise, alert(1))
    const first = openInstance(store)
    first.alerts.start()
    await until(() => received.length === 1)
    await first.stop()
    expect(await deliveries(store)).toMatchObject([{ state: 'pending', attempts: 0, leaseOwner: null }])
    instance(store).start()
    await until(() => allDelivered(store))
    expect(received[1]?.headers['webhook-id']).toBe(received[0]?.headers['webhook-id'])
  })

  it('tries again after growing pauses, then gives up, tells so once, and tries again when it is told to', async () => {
    const store = await open()
    let status = 500
    const { url: address, received } = await receiver(() => status)
    await add(store, hook(address))
    const clock = handClock()
    const alerts = instance(store, { clock })
    await store.run(raise, alert(1, { now: clock.now() }))
    await store.run(raise, alert(2, { now: clock.now() }))
    alerts.start()
    for (const [at, pause] of pauses.entries()) {
      await until(async () => (await deliveries(store)).every(({ error }) => error !== null))
      await until(async () =>
        (await deliveries(store)).every(({ attempts, leaseOwner }) => attempts === at + 1 && !leaseOwner),
      )
      const rows = await deliveries(store)
      for (const { nextAt, error, answer, state } of rows) {
        expect({ error, answer, state }).toEqual({
          ...{ answer: '500', state: 'pending', error: 'The receiver answered 500: its own log tells why.' },
        })
        expect(nextAt - clock.now()).toBeGreaterThan(pause * 0.75 - 20_000)
        expect(nextAt - clock.now()).toBeLessThanOrEqual(pause * 1.25)
      }
      expect(received).toHaveLength((at + 1) * 2)
      clock.pass(pause * 1.25 + 1)
    }
    await until(async () => (await deliveries(store)).every(({ state }) => state === 'dead'))
    expect(received).toHaveLength((pauses.length + 1) * 2)
    expect(await events(store, 'sys_alert_not_delivered')).toMatchObject([
      { outcome: 'failure', severity: 'medium', reason: 'The receiver answered 500: its own log tells why.' },
    ])
    expect(await alerts.channels.list()).toMatchObject([{ dead: 2, pending: 0, lastDelivery: null }])

    status = 200
    const dead = await alerts.deliveries({ limit: 10, state: 'dead' })
    expect(await alerts.retry({ ids: dead.rows.map(({ id }) => id) }, ana)).toBe(2)
    await until(() => allDelivered(store))
    expect(new Set(received.map(({ headers }) => headers['webhook-id']))).toHaveProperty('size', 2)
    expect(await events(store, 'sys_alert_retried')).toHaveLength(1)
    await expect(alerts.retry({ ids: dead.rows.map(({ id }) => id) }, ana)).rejects.toMatchObject({
      code: 'CONFLICT',
    })
  })

  it('leaves a receiver alone for as long as its Retry-After says', async () => {
    const store = await open()
    const { url: address, received } = await receiver((at) =>
      at === 0 ? { status: 429, headers: { 'Retry-After': '600' } } : 204,
    )
    await add(store, hook(address))
    const clock = handClock()
    await store.run(raise, alert(1, { now: clock.now() }))
    instance(store, { clock }).start()
    await until(async () => (await deliveries(store))[0]?.answer === '429')
    const [row] = await deliveries(store)
    expect((row?.nextAt ?? 0) - clock.now()).toBeGreaterThan(580_000)
    expect((row?.nextAt ?? 0) - clock.now()).toBeLessThanOrEqual(600_000)
    clock.pass(600_001)
    await until(() => allDelivered(store))
    expect(received).toHaveLength(2)
  })

  it('switches a webhook off that answers 410, with what waits for it', async () => {
    const store = await open()
    const { url: address, received } = await receiver(() => 410)
    const { id } = await add(store, hook(address))
    for (let at = 0; at < 12; at++) await store.run(raise, alert(at))
    const alerts = instance(store)
    alerts.start()
    await until(async () => (await deliveries(store)).every(({ state }) => state === 'dead'))
    expect(received.length).toBeLessThanOrEqual(8)
    const [channel] = await alerts.channels.list()
    expect(channel).toMatchObject({ id, enabled: false, disabledReason: expect.stringContaining('410 Gone') })
    expect(await events(store, 'sys_alert_channel_disabled')).toHaveLength(1)
    await store.run(raise, alert(99))
    expect(await deliveries(store)).toHaveLength(12)
  })

  it('keeps no channel waiting for another whose receiver is slow', async () => {
    const store = await open()
    const slow = await receiver(() => 'hang')
    const quick = await receiver()
    await add(store, { ...hook(slow.url), name: 'slow' })
    await add(store, { ...hook(quick.url), name: 'quick' })
    await store.run(raise, alert(1))
    instance(store).start()
    await until(() => slow.received.length === 1)
    await store.run(raise, alert(2))
    await until(() => quick.received.length === 2)
    expect(slow.received).toHaveLength(1)
  })

  it('sums a flood up: mail within its share of the hour, the rest in one digest', async () => {
    const store = await open()
    const server = await startMailServer()
    undo.push(server.close)
    await add(store, {
      ...{
        kind: 'email',
        name: 'mail',
        leastSeverity: 'low',
        enabled: true,
        hourly: 3,
        user: null,
        tls: 'none',
      },
      ...{ host: '127.0.0.1', port: server.port, from: 'holdfast@example.org', to: ['ops@example.org'] },
    })
    const clock = handClock()
    instance(store, { clock }).start()
    for (let at = 0; at < 3; at++) {
      await store.run(raise, alert(at, { now: clock.now() }))
      await until(() => server.mails.length === at + 1)
      await until(() => allDelivered(store))
    }
    for (let at = 10; at < 40; at++) await store.run(raise, alert(at, { now: clock.now() }))
    const waiting = async () => (await deliveries(store)).filter(({ state }) => state === 'pending')
    await until(async () => {
      const rows = await waiting()
      return rows.length === 30 && rows.every(({ error }) => error?.includes('waits and goes with others'))
    })
    expect(server.mails).toHaveLength(3)
    clock.pass(3_600_000)
    await until(() => allDelivered(store))
    expect(server.mails).toHaveLength(4)
    expect(server.mails[3]?.raw).toContain('Subject: [Holdfast] 30 alerts, the gravest high')
    const ids = new Set((await deliveries(store)).map(({ messageId }) => messageId))
    expect(ids.size).toBe(4)
  })

  it('keeps every secret sealed, and says so when another master key cannot open them', async () => {
    const store = await open()
    const { url: address, received } = await receiver()
    const { secret } = await add(store, hook(address))
    const [row] = await store.db.select().from(store.tables.alertChannels)
    for (const hidden of [secret, '/hook', 'Bearer of the receiver'])
      expect(JSON.stringify(row)).not.toContain(hidden)
    await store.run(raise, alert(1))
    instance(store, { vault: openVault(randomBytes(32)) }).start()
    await until(async () => (await deliveries(store))[0]?.error != null)
    expect(await deliveries(store)).toMatchObject([
      {
        state: 'pending',
        error: expect.stringMatching(/sealed with master key [0-9a-f]{16}, which is not configured/),
      },
    ])
    expect(received).toEqual([])
  })
})
