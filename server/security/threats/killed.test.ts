import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { asc, eq, sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { startReceiver, until } from '@/db/testing/receivers'
import { needsPostgres, sharedPostgres } from '@/db/testing/shared'
import { openTestPostgres, testAuditKey } from '@/db/testing/stores'
import { undoAfterEach } from '@/db/testing/undo'
import { leaseMs } from '../alerts/sender'
import { testVault } from '../testing/accounts'
import { openInstance, raise, stepUp } from '../testing/alerts'
import type { GuardSetUp } from '../testing/guard'
import { fixtures, inOrder } from './testing/fixtures'
import { write } from './testing/write'

/** What a rule takes at most from the event that is enough to the finding. */
const PROMISED_MS = 10_000

/** Every kind of attack but travel, for which these processes know no places. */
const attacks = inOrder(
  fixtures.filter(({ rule }) => rule !== 'impossible-travel').flatMap(({ events }) => events(0)),
)
const expected = fixtures.filter(({ rule }) => rule !== 'impossible-travel').map(({ rule }) => rule)

describe('a process that is killed by SIGKILL', () => {
  needsPostgres()
  const later = undoAfterEach()

  /** A console's rules and alerts, in a process of their own. */
  async function start(store: Store, instance: string, aheadMs = 0): Promise<ChildProcess> {
    const { rows } = await store.db.execute(sql`select current_database() as name`)
    const setUp: GuardSetUp = {
      url: Object.assign(new URL(sharedPostgres().url), {
        pathname: `/${(rows[0] as { name: string }).name}`,
      }).href,
      auditKey: { id: testAuditKey.id, key: Buffer.from(testAuditKey.key).toString('base64') },
      ...{ instance, aheadMs },
    }
    const child = fork(join(process.cwd(), 'dist/testing/guard.mjs'), [JSON.stringify(setUp)], {
      execArgv: [],
    })
    later(() => kill(child))
    await once(child, 'message')
    return child
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  it('leaves the rules to another, who finds every attack once, within 10 seconds', {
    timeout: 90_000,
  }, async () => {
    const store = await openTestPostgres(later)
    const { findings, alerts, leases } = store.tables
    const holder = async () => {
      const [lease] = await store.db.select().from(leases).where(eq(leases.name, 'threats'))
      return lease?.owner
    }
    const processes = { one: await start(store, 'one') }
    await until(async () => (await holder()) === 'one')
    Object.assign(processes, { two: await start(store, 'two') })
    // In the middle of every window, at whatever the holder is doing then.
    const half = Math.floor(attacks.length / 2)
    await store.run(write, attacks.slice(0, half))
    const killedAt = Date.now()
    await kill(processes.one)
    await store.run(write, attacks.slice(half))
    const writtenAt = Date.now()
    const found = async () => {
      const rows = await store.db.select().from(findings).orderBy(asc(findings.rule))
      return new Set(rows.map(({ rule }) => rule))
    }
    await until(async () => (await found()).size >= new Set(expected).size)
    expect(Date.now() - Math.max(killedAt, writtenAt)).toBeLessThan(PROMISED_MS)
    expect(await holder()).toBe('two')
    const rows = await store.db.select().from(findings)
    expect(new Set(rows.map(({ rule, subject }) => `${rule} ${subject}`)).size).toBe(rows.length)
    const told = (await store.db.select().from(alerts)).map(({ findingId }) => findingId)
    expect(told.sort()).toEqual(rows.map(({ id }) => id).sort())
  })

  it('leaves an alert that it was sending to another, who sends it with the same id', {
    timeout: 60_000,
  }, async () => {
    const store = await openTestPostgres(later)
    const { url, received, close } = await startReceiver((at) => (at === 0 ? 'hang' : 204))
    later(close)
    const input = {
      ...{ kind: 'webhook' as const, name: 'hook', leastSeverity: 'low' as const, enabled: true },
      ...{ url: `${url}/hook`, headers: [] },
    }
    const { alerts, stop } = openInstance(store, { vault: testVault })
    await alerts.channels.add(input, await stepUp(store, 'addChannel', input))
    await stop()
    const dying = await start(store, 'one')
    const now = Date.now()
    await store.run(raise, {
      key: 'key',
      findingId: null,
      severity: 'high',
      title: 'Alert',
      body: 'Why',
      now,
    })
    await until(() => received.length === 1)
    await kill(dying)
    const { alertDeliveries } = store.tables
    expect(await store.db.select().from(alertDeliveries)).toMatchObject([{ state: 'pending', attempts: 1 }])
    // Nobody waits for the lease to run out: this one's clock is past its end.
    await start(store, 'two', leaseMs + 1_000)
    await until(async () => (await store.db.select().from(alertDeliveries))[0]?.state === 'delivered')
    expect(received).toHaveLength(2)
    expect(received[1]?.headers['webhook-id']).toBe(received[0]?.headers['webhook-id'])
  })
})
