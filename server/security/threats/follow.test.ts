import { asc } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { system } from '@/server/audit'
import { openLog } from '@/server/log'
import { openAccounts, testClock } from '../testing/accounts'
import { code, eventsOf } from '../testing/events'
import { openThreats } from '.'
import { fixtures, inOrder } from './testing/fixtures'
import { begin, day, hour, minute } from './testing/rows'
import { write } from './testing/write'
import type { ThreatRow } from './types'

function instance(store: Store, name: string, clock = testClock(begin + day), blockDurationsMs?: number[]) {
  const ended: string[] = []
  const deps = {
    store,
    clock,
    log: openLog('error'),
    instance: name,
    ended: (ids: readonly string[]) => ended.push(...ids),
  }
  return { ...openThreats(deps, { blockDurationsMs }), ended, clock }
}

const findingsOf = (store: Store) =>
  store.db
    .select()
    .from(store.tables.findings)
    .orderBy(asc(store.tables.findings.rule), asc(store.tables.findings.subject))
const alertsOf = (store: Store) => store.db.select().from(store.tables.alerts)

/** Every kind of attack at once; impossible travel needs places, which these instances have none of. */
const attacks = inOrder(
  fixtures.filter(({ rule }) => rule !== 'impossible-travel').flatMap(({ events }) => events(0)),
)
const shown = (rows: Awaited<ReturnType<typeof findingsOf>>) =>
  rows.map(({ rule, subject, count, severity }) => ({ rule, subject, count, severity }))

describeStores((open, dialect) => {
  it('finds every kind of attack in two instances at once, with one finding and one alert each', async () => {
    const store = await open()
    const [one, two] = [instance(store, 'one'), instance(store, 'two')]
    await one.tick()
    for (let at = 0; at < attacks.length; at += 40) {
      await store.run(write, attacks.slice(at, at + 40))
      // Each lets the other have the lease in the middle of a window.
      await Promise.all([one.tick(), two.tick()])
      one.clock.pass(7_000)
      two.clock.pass(7_000)
      await two.tick()
      await one.tick()
    }
    const findings = await findingsOf(store)
    const subjects = findings.map(({ rule, subject }) => `${rule} ${subject}`)
    expect(new Set(subjects).size).toBe(subjects.length)
    for (const { rule, subject } of fixtures) {
      if (rule !== 'impossible-travel') expect(subjects).toContain(`${rule} ${subject}`)
    }
    const alerts = await alertsOf(store)
    expect(alerts.map(({ findingId }) => findingId).sort()).toEqual(findings.map(({ id }) => id).sort())
    const opened = (await eventsOf(store)).filter(({ event }) => event === 'sys_finding_opened')
    expect(opened).toHaveLength(findings.length)
  })

  it('finds the same when it is started anew after every few events', async () => {
    const [whole, parts] = [await open(), await open()]
    const steady = instance(whole, 'steady')
    await steady.tick()
    await whole.run(write, attacks)
    await steady.tick()
    await instance(parts, 'first').tick()
    const clock = testClock(begin + day)
    for (let at = 0; at < attacks.length; at += 17) {
      await parts.run(write, attacks.slice(at, at + 17))
      // A new process, which the one before left without a word.
      clock.pass(7_000)
      await instance(parts, `process ${at}`, clock).tick()
    }
    expect(shown(await findingsOf(parts))).toEqual(shown(await findingsOf(whole)))
  })

  it('counts on while it grows, begins anew when it was closed, and says nothing of a single event then', async () => {
    const store = await open()
    const threats = instance(store, 'one')
    await threats.tick()
    const fixture = fixtures.find(({ rule }) => rule === 'brute-force')
    const fails = inOrder(fixture?.events(0) ?? [])
    const later = (ms: number, rows = fails) => rows.map((row) => ({ ...row, time: row.time + ms }))
    await store.run(write, fails)
    await threats.tick()
    await store.run(write, later(10 * minute, fails.slice(0, 1)))
    await threats.tick()
    const [first] = await findingsOf(store)
    expect(first).toMatchObject({ rule: 'brute-force', count: 11, state: 'open' })
    const by = { ...system, actor: 'ana@example.org' }
    await threats.findings.close({ id: first?.id ?? '', note: 'a test' }, by)
    await expect(threats.findings.close({ id: first?.id ?? '' }, by)).rejects.toThrow(code('CONFLICT'))
    await store.run(write, later(3 * hour, fails.slice(0, 2)))
    await threats.tick()
    expect(await findingsOf(store)).toHaveLength(1)
    await store.run(write, later(6 * hour))
    await threats.tick()
    expect(await findingsOf(store)).toHaveLength(2)
    expect(await alertsOf(store)).toHaveLength(2)
  })

  it('tries dry without alert, and takes a change of its parameters at once', async () => {
    const store = await open()
    const { signIn, granted, clock } = await openAccounts(store)
    const { session } = await signIn()
    const threats = instance(store, 'one', clock)
    await threats.tick()
    const change = { rule: 'brute-force', dryRun: true, params: { failures: 3 } }
    await expect(threats.rules.set(change, { by: system, grantId: null })).rejects.toThrow(
      code('STEP_UP_REQUIRED'),
    )
    await threats.rules.set(change, await granted(session, 'security.rules.set', change))
    const wrong = { rule: 'brute-force', params: { failures: 1 } }
    await expect(
      threats.rules.set(wrong, await granted(session, 'security.rules.set', wrong)),
    ).rejects.toThrow(code('BAD_INPUT'))
    const fails = inOrder(fixtures.find(({ rule }) => rule === 'brute-force')?.events(0) ?? [])
    await store.run(write, fails.slice(0, 3))
    await threats.tick()
    expect(await findingsOf(store)).toMatchObject([{ rule: 'brute-force', dryRun: true, count: 3 }])
    expect(await alertsOf(store)).toEqual([])
    const changed = (await eventsOf(store)).find(({ event }) => event === 'sys_rule_changed')
    expect(JSON.parse(changed?.after ?? '')).toMatchObject({ dryRun: true, params: { failures: 3 } })
    expect(JSON.parse(changed?.before ?? '')).toMatchObject({ dryRun: false, params: { failures: 10 } })
  })

  it('doubts the sessions of a user with a factor until it is proved anew, and ends those of one without', async () => {
    const store = await open()
    const { security, signIn, enrol, addUser, clock, userId } = await openAccounts(store)
    const signedIn = await signIn()
    const app = await enrol(signedIn.session)
    const vera = await addUser('Vera')
    const other = await signIn(vera)
    const threats = instance(store, 'one', clock)
    await threats.tick()
    const found = [userId, vera.userId].flatMap((id) => attackOn(id, clock.now()))
    await store.run(write, found)
    await threats.tick()
    const bearer = (token: string) => new Headers({ authorization: `Bearer ${token}` })
    expect(threats.ended).toEqual([other.session.sessionId])
    expect(await security.authenticate(bearer(other.accessToken), '198.51.100.7')).toBeNull()
    const doubted = await security.authenticate(bearer(signedIn.accessToken), '198.51.100.7')
    expect(doubted?.needs).toContain('fresh factor')
    const { signedIn: next } = await app.stepUp('session.confirm', {})
    const trusted = await security.authenticate(bearer(next?.accessToken ?? ''), '198.51.100.7')
    expect(trusted?.needs).not.toContain('fresh factor')
    const kinds = (await findingsOf(store)).flatMap(({ responses }) => responses.map(({ kind }) => kind))
    expect(kinds.sort()).toEqual(['end sessions', 'require a fresh factor'])
    const bodies = (await alertsOf(store)).map(({ body }) => body).join('\n')
    expect(bodies).toContain('It is about the user vera@example.org.\nThe sessions of the user have ended.')
    expect(bodies).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/)
  })

  it(`blocks an address, but never that of a trusted source (${dialect})`, async () => {
    const store = await open()
    const threats = instance(store, 'one', testClock(begin + day), [5 * minute, hour])
    await threats.tick()
    const stuffing = fixtures.find(({ rule }) => rule === 'credential-stuffing')
    const { trustedSources, blocks } = store.tables
    await store.db.insert(trustedSources).values({
      ...{ id: crypto.randomUUID(), network: '198.51.101.0/24', owner: 'office', reason: 'our own' },
      ...{ createdAt: 0, createdBy: 'ana@example.org', expiresAt: null },
    })
    await store.run(write, inOrder([...(stuffing?.events(0) ?? []), ...(stuffing?.events(1) ?? [])]))
    await threats.tick()
    expect(await store.db.select().from(blocks)).toMatchObject([
      { network: '198.51.100.7', origin: 'rule', expiresAt: begin + day + 5 * minute },
    ])
    const found = (await findingsOf(store)).filter(({ rule }) => rule === 'credential-stuffing')
    expect(found.map(({ responses }) => responses.length).sort()).toEqual([0, 1])
    const bodies = (await alertsOf(store))
      .map(({ body }) => body)
      .filter((body) => /list of stolen/.test(body))
    expect(bodies.map((body) => body.split('\n').slice(1)).sort()).toEqual([
      ['It is about the address 198.51.100.7.', 'The address is blocked.'],
      ['It is about the address 198.51.101.7.'],
    ])
  })

  it('says what a rule would have found, and changes nothing', async () => {
    const store = await open()
    const threats = instance(store, 'one')
    await threats.tick()
    await store.run(write, inOrder(fixtures.find(({ rule }) => rule === 'brute-force')?.below(0) ?? []))
    const asItIs = await threats.rules.try({ rule: 'brute-force' })
    expect(asItIs).toMatchObject({ findings: 0, complete: true, events: 9 })
    const stricter = await threats.rules.try({ rule: 'brute-force', params: { failures: 9 } })
    expect(stricter).toMatchObject({ findings: 1, latest: [{ count: 9 }] })
    expect(await findingsOf(store)).toEqual([])
  })
})

/** Many failures, then a success on a new device. */
function attackOn(userId: string, now: number): ThreatRow[] {
  const fixture = fixtures.find(({ rule }) => rule === 'success-after-failures')
  const rows = fixture?.events(0) ?? []
  return inOrder(
    rows.map((row) => ({
      ...row,
      ...{ time: row.time - begin + now, target: userId },
      actorId: row.actorId === null ? null : userId,
    })),
  )
}
