import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { browser, openAccounts } from '../testing/accounts'
import { code, eventsOf } from '../testing/events'
import type { SessionInfo } from '../types'
import type { ReportedEvent } from './report'

const minute = 60_000
const login: ReportedEvent = { event: 'authn_login_fail', actor: 'vic@shop.example', outcome: 'failure' }

describeStores((open) => {
  async function start() {
    const store = await open({ connections: 20 })
    const run = await openAccounts(store)
    const { session } = await run.signIn()
    const key: SessionInfo = { ...session, kind: 'api-key', sessionId: 'key-1', name: 'shop' }
    const by = { ...browser().by, actorId: session.userId, sessionId: key.sessionId, requestId: 'request-1' }
    const report = (events: ReportedEvent[], more: { source?: string; of?: SessionInfo } = {}) =>
      run.security.ingest({ source: more.source ?? 'shop', events }, { session: more.of ?? key, by })
    const reported = async () => (await eventsOf(store)).filter(({ source }) => source !== null)
    return { ...run, store, session, key, report, reported }
  }

  it('chains events under their source, at the time at which the console took them', async () => {
    const { report, reported, clock } = await start()
    const time = clock.now() - 3 * minute
    const events: ReportedEvent[] = [
      {
        ...login,
        ...{ time, target: 'account:7', reason: 'wrong password', address: '203.0.113.7' },
        ...{ userAgent: 'Shop/2', sessionId: 's-9', severity: 'medium' },
        ...{ before: { attempts: 1 }, after: { attempts: 2 } },
      },
      { ...login, event: 'authn_login_success', outcome: 'success' },
    ]
    const answer = await report(events)
    const rows = await reported()
    expect(answer).toEqual({ accepted: 2, first: rows[0]?.seq, last: rows[1]?.seq })
    expect(rows[0]).toMatchObject({
      ...{ time: clock.now(), event: 'authn_login_fail', outcome: 'failure', source: 'shop' },
      ...{ actorId: null, actor: 'vic@shop.example', target: 'account:7', reason: 'wrong password' },
      ...{ address: '203.0.113.7', userAgent: 'Shop/2', sessionId: 'shop:s-9', requestId: 'request-1' },
      ...{ severity: 'medium', before: '{"attempts":1}' },
      after: JSON.stringify({ attempts: 2, reportedBy: 'key-1', reportedTime: time }),
    })
    expect(rows[1]).toMatchObject({ severity: 'info', sessionId: null, address: null })
  })

  it('lets a key speak for the source of its name alone, and nobody for the console', async () => {
    const { report, reported, key, session } = await start()
    for (const source of ['Shop', 'other', 'shop ', 'console'])
      await expect(report([login], { source })).rejects.toEqual(code('FORBIDDEN'))
    const named = { ...key, name: 'Console' }
    await expect(report([login], { source: 'Console', of: named })).rejects.toEqual(code('FORBIDDEN'))
    await expect(report([login], { source: 'console', of: session })).rejects.toEqual(code('FORBIDDEN'))
    expect(await reported()).toEqual([])
    await report([login], { source: 'other', of: session })
    expect((await reported())[0]?.source).toBe('other')
  })

  it('refuses times that cannot be, with all of the report', async () => {
    const { report, reported, clock } = await start()
    const at = (time: number) => report([login, { ...login, time }])
    const week = 7 * 24 * 60 * minute
    await expect(at(clock.now() + 5 * minute + 1)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      details: { issues: [{ path: 'events.1.time', message: 'is ahead of now' }] },
    })
    await expect(at(clock.now() - week - 1)).rejects.toEqual(code('BAD_INPUT'))
    expect(await reported()).toEqual([])
    await at(clock.now() + 5 * minute)
    await at(clock.now() - week)
    expect(await reported()).toHaveLength(4)
  })

  it('keeps no secret, by whichever name or in whichever text it comes', async () => {
    const { report, store } = await start()
    const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.dBjftJeZ4CVP'
    const apiKey = `hf_${'A'.repeat(43)}`
    await report([
      {
        ...login,
        actor: `vic ${jwt}`,
        target: apiKey,
        reason: `Authorization: Bearer ${'q'.repeat(30)}`,
        userAgent: 'Basic dXNlcjpodW50ZXIy',
        before: { password: 'hunter2', deep: [{ note: `it was ${jwt}` }] },
        after: { sessionToken: 'hunter2', pem: '-----BEGIN PRIVATE KEY-----\nMIIhunter2' },
      },
    ])
    const everything = JSON.stringify(await eventsOf(store))
    for (const secret of [jwt, apiKey, 'qqqq', 'dXNlcjpodW50ZXIy', 'hunter2'])
      expect(everything).not.toContain(secret)
  })

  it('stays on one line, whatever an application sends', async () => {
    const { report, reported } = await start()
    const forged = 'vic\r\n{"seq":1,"event":"sys_startup"}\u2028\u0000\u202etxt'
    await report([{ ...login, actor: forged, reason: forged, userAgent: forged, after: { forged } }])
    const [row] = await reported()
    for (const text of [row?.actor, row?.reason, row?.userAgent, row?.after])
      expect(text).not.toMatch(/[\p{Cc}\p{Zl}\u202e]/u)
  })
})
