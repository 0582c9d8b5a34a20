import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { type Answer, bearer, enrolByProgram, program, setUpByProgram } from '../program'
import { type RunningConsole, startConsole } from '../server'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 })

const path = '/api/infrastructure/security/events'
const login = { event: 'authn_login_fail', outcome: 'failure', actor: 'vic@shop.example' }

let console: RunningConsole
/** API keys: one that may report as shop, one that may read. */
let key: string
let reader: string

beforeAll(async () => {
  console = await startConsole({ env: { TWO_FA_WINDOW: '10' } })
  let token = (await setUpByProgram(console)).accessToken
  const { app } = await enrolByProgram(console.url, token, 10)
  const { post, call } = program(console)
  const make = async (name: string, permission: string) => {
    const input = { name, permissions: [permission], days: 1 }
    const step = { action: 'security.createApiKey', input, code: app.next() }
    const granted = await post('/api/auth/step-up', step, bearer(token))
    token = granted.body.tokens.accessToken
    const headers = { ...bearer(token), 'holdfast-step-up': granted.body.grantId }
    return (await call('security.createApiKey', input, headers)).body.key as string
  }
  key = await make('shop', 'security:ingest')
  reader = await make('reader', 'security:read')
})
afterAll(() => console?.stop())

const report = (events: unknown, more: Record<string, string> = {}, source = 'shop'): Promise<Answer> =>
  program(console).post(path, { source, events }, { ...bearer(key), ...more })

/** The lines of an export. */
async function exported(query: string): Promise<string[]> {
  const response = await fetch(`${console.url}/api/security/events/export?${query}`, {
    headers: bearer(reader),
  })
  expect(response.status).toBe(200)
  return (await response.text()).split('\n').slice(0, -1)
}

describe('reported events', () => {
  it('are taken once of twenty that come at the same time with one key', async () => {
    const once = { 'idempotency-key': '"twenty-at-once"' }
    const events = Array.from({ length: 40 }, (_, number) => ({ ...login, actor: `twin ${number}` }))
    const answers = await Promise.all(Array.from({ length: 20 }, () => report(events, once)))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    expect(await exported('format=ndjson&source=shop&text=twin')).toHaveLength(40)
    const other = await report([login], once)
    expect([other.status, other.body.code]).toEqual([422, 'CHECK_FAILED'])
    const odd = await report([login], { 'idempotency-key': 'with a blank' })
    expect([odd.status, odd.body.code]).toEqual([400, 'BAD_INPUT'])
  })

  it.each<[string, unknown, string]>([
    ['a name that tells of the console alone', [{ ...login, event: 'malicious_audit_tampering' }], 'shop'],
    ['a name that nobody knows', [{ ...login, event: 'authn_login_fail;drop' }], 'shop'],
    ['a field that nobody asked for', [{ ...login, actorId: 'x' }], 'shop'],
    ['a seq of its own', [{ ...login, seq: 1, hash: 'x' }], 'shop'],
    ['an address that is none', [{ ...login, address: '203.0.113.7, 10.0.0.1' }], 'shop'],
    ['a time ahead', [{ ...login, time: Date.now() + 3_600_000 }], 'shop'],
    ['a time long ago', [{ ...login, time: 1 }], 'shop'],
    ['too long a text', [{ ...login, actor: 'x'.repeat(255) }], 'shop'],
    ['too much of a state', [{ ...login, after: { text: 'x'.repeat(9_000) } }], 'shop'],
    [
      'too deep a state',
      [{ ...login, after: JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) }],
      'shop',
    ],
    ['no event', [], 'shop'],
    ['501 events', Array(501).fill(login), 'shop'],
    ['no list', login, 'shop'],
  ])('with %s are refused, all of them', async (_, events, source) => {
    const before = (await exported('format=ndjson&source=shop')).length
    const sent = Array.isArray(events) && events.length === 1 ? [login, ...events] : events
    const { status, body } = await report(sent, {}, source)
    expect([status, body.code]).toEqual([400, 'BAD_INPUT'])
    expect(await exported('format=ndjson&source=shop')).toHaveLength(before)
  })

  it('speak for no other source, and for none without the permission', async () => {
    for (const source of ['console', 'reader', 'Shop']) {
      const { status, body } = await report([login], {}, source)
      expect([source, status, body.code]).toEqual([source, 403, 'FORBIDDEN'])
    }
    const asReader = await program(console).post(path, { source: 'reader', events: [login] }, bearer(reader))
    expect(asReader.status).toBe(403)
    expect((await program(console).post(path, { source: 'shop', events: [login] })).status).toBe(401)
  })

  it('forge no line, no formula and no field of an export', async () => {
    const forged = '=cmd|"/c calc"!A1\r\n1,1,forged\u2028{"seq":1}'
    const { status } = await report([{ ...login, actor: forged, reason: forged, after: { note: forged } }])
    expect(status).toBe(200)
    const [row] = await exported('format=ndjson&source=shop&text=calc')
    expect(JSON.parse(row ?? '')).toMatchObject({ actor: '=cmd|"/c calc"!A1  1,1,forged {"seq":1}' })
    const lines = await exported('format=csv&source=shop&text=calc')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toContain(`"'=cmd|""/c calc""!A1  1,1,forged {""seq"":1}"`)
    expect(lines[1]).not.toMatch(/(^|,)"?=/)
  })
})

describe('an export', () => {
  it('is refused without a session, from another site, and for a query that does not fit', async () => {
    const ask = (query: string, headers: Record<string, string> = bearer(reader)) =>
      program(console).get(`/api/security/events/export${query}`, headers)
    expect((await ask('?format=csv', {})).status).toBe(401)
    expect((await ask('?format=csv', bearer(key))).status).toBe(403)
    const foreign = await ask('?format=csv', { ...bearer(reader), 'sec-fetch-site': 'cross-site' })
    expect([foreign.status, foreign.body.code]).toEqual([403, 'BAD_ORIGIN'])
    for (const query of [
      '',
      '?format=xml',
      '?format=csv&colour=red',
      '?format=csv&from=1&from=2',
      '?format=csv&from=x',
    ]) {
      const { status, body } = await ask(query)
      expect([query, status, body.code]).toEqual([query, 400, 'BAD_INPUT'])
    }
  })

  it('is a file, and is noted with its filter', async () => {
    const response = await fetch(
      `${console.url}/api/security/events/export?format=csv&outcomes=failure,denied`,
      {
        headers: bearer(reader),
      },
    )
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="holdfast-events-\d{8}T\d{6}Z\.csv"$/,
    )
    expect(response.headers.get('cache-control')).toContain('no-store')
    await response.text()
    const noted = await exported('format=ndjson&events=sensitive_export')
    const after = noted.map((line) => JSON.parse(JSON.parse(line).after))
    expect(after).toContainEqual({ format: 'csv', filter: { outcomes: ['failure', 'denied'] } })
  })

  it('makes room for another one when its client is gone', async () => {
    const batch = Array.from({ length: 500 }, () => ({ ...login, after: { fill: 'x'.repeat(1_500) } }))
    for (let sent = 0; sent < 24; sent++) expect((await report(batch)).status).toBe(200)
    // Clients that read nothing: more than sockets and streams hold is left, so that their exports stay open.
    const url = `${console.url}/api/security/events/export?format=ndjson`
    const idle = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const asked = request(url, { headers: bearer(reader) }).end()
        const response = await new Promise<import('node:http').IncomingMessage>((resolve) =>
          asked.once('response', resolve),
        )
        response.pause()
        return asked
      }),
    )
    const ask = async () => {
      const response = await fetch(`${url}&actor=nobody`, { headers: bearer(reader) })
      await response.text()
      return response.status
    }
    expect(await ask()).toBe(429)
    for (const asked of idle) asked.destroy()
    await waitUntil('room for an export', async () => (await ask()) === 200)
  })
})
