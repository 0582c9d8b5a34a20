import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { admin, credentials } from '../admin'
import { bearer, program, setUpByProgram } from '../program'
import { type RunningConsole, startConsole } from '../server'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** How a guess is answered, without what differs from request to request. */
async function guess(console: RunningConsole, email: string, headers: Record<string, string> = {}) {
  const {
    status,
    body,
    headers: answered,
  } = await program(console).post('/api/auth/login', { email, password: 'not the password' }, headers)
  const { requestId: _, retryAfterMs, ...rest } = body
  return { status, body: rest, retryAfterMs, retryAfter: answered.get('retry-after') }
}

/** Events by name and reason, read by an admin who needs no factor here. */
async function events(console: RunningConsole, accessToken: string) {
  const answer = await program(console).query(
    `security.events.list?input=${encodeURIComponent('{"limit":200}')}`,
    bearer(accessToken),
  )
  expect(answer.status).toBe(200)
  return answer.body.events as { event: string; reason: string | null; address: string | null }[]
}

describe('guessing passwords', () => {
  let console: RunningConsole
  let accessToken: string
  beforeAll(async () => {
    // What counts per account is what is tested here.
    console = await startConsole({ env: { RATE_LIMIT_ENDPOINTS: 'auth.signIn=off', BLOCK_AFTER: 'off' } })
    accessToken = (await setUpByProgram(console)).accessToken
  })
  afterAll(() => console?.stop())

  it('reaches the hash five times of a hundred at once, for a known and for an unknown account', async () => {
    for (const email of [admin.email, 'nobody@example.org']) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => guess(console, email)))
      const count = (status: number) => answers.filter((answer) => answer.status === status).length
      expect({ email, checked: count(401), refused: count(429) }).toEqual({ email, checked: 5, refused: 95 })
    }
  })

  it('is answered in the same words whether the account exists or not', async () => {
    const known = await guess(console, admin.email)
    const unknown = await guess(console, 'nobody@example.org')
    expect(known.status).toBe(429)
    expect(unknown.body).toEqual(known.body)
    for (const { retryAfter, retryAfterMs } of [known, unknown]) {
      expect(Number(retryAfter)).toBe(Math.ceil(retryAfterMs / 1000))
      expect(Number(retryAfter)).toBeGreaterThan(0)
      expect(Number(retryAfter)).toBeLessThanOrEqual(60)
    }
    const fresh = await Promise.all(
      ['ana2@example.org', 'nobody2@example.org'].map((each) => guess(console, each)),
    )
    expect(fresh[0]?.body).toEqual(fresh[1]?.body)
  })

  it('blocks the right password too, until the block is over', async () => {
    const { status, body } = await program(console).post('/api/auth/login', credentials)
    expect({ status, code: body.code }).toEqual({ status: 429, code: 'TOO_MANY_REQUESTS' })
  })

  it('is not helped by forwarding headers, which no trusted proxy has set', async () => {
    for (const [index, name] of [
      'x-forwarded-for',
      'x-real-ip',
      'forwarded',
      'x-client-ip',
      'cf-connecting-ip',
      'true-client-ip',
      'x-holdfast-peer',
    ].entries()) {
      const { status } = await guess(console, admin.email, { [name]: `203.0.113.${index + 1}` })
      expect({ name, status }).toEqual({ name, status: 429 })
    }
  })

  it('is written down, with the address of the socket, and without what was typed', async () => {
    // The session of the set-up is older than the block, and stays.
    const me = await program(console).query('auth.me', bearer(accessToken))
    expect(me.status).toBe(200)
    expect(console.output()).not.toContain('not the password')
  })

  it('in one batch is refused as a whole', async () => {
    const names = Array.from({ length: 25 }, () => 'auth.signIn').join(',')
    const inputs = Object.fromEntries(
      Array.from({ length: 25 }, (_, index) => [index, { ...credentials, password: `guess ${index}` }]),
    )
    const answer = await program(console).post(`/api/trpc/${names}?batch=1`, inputs)
    expect(answer.status).toBe(400)
  })
})

describe('a batch of guesses', () => {
  it('is refused before any of them is looked at, however its names are spelled', async () => {
    const console = await startConsole()
    try {
      await setUpByProgram(console)
      for (const names of [
        Array.from({ length: 12 }, () => 'auth.signIn').join(','),
        'auth.signIn%2Cauth.signIn',
        '%61uth.signIn,%61uth%2EsignIn',
        'account.setName,auth.stepUp',
        'auth.verify,auth.verify',
      ]) {
        const inputs = Object.fromEntries(
          Array.from({ length: 12 }, (_, index) => [index, { ...credentials, password: `guess ${index}` }]),
        )
        const { status, body } = await program(console).post(`/api/trpc/${names}?batch=1`, inputs)
        expect({ names, status, code: body.error.data.code }).toEqual({
          names,
          status: 400,
          code: 'BAD_INPUT',
        })
      }
      const { status } = await program(console).post('/api/auth/login', credentials)
      expect(status).toBe(200)
    } finally {
      await console.stop()
    }
  })
})

describe('an account that is guessed from many addresses', () => {
  it('stays open to a device that it knows', async () => {
    const console = await startConsole({ env: { TRUSTED_PROXIES: '127.0.0.1/32,::1/128' } })
    try {
      await setUpByProgram(console)
      const fromProxy = (address: string, more: Record<string, string> = {}) => ({
        'x-forwarded-for': address,
        ...more,
      })
      const origin = { origin: console.url, 'sec-fetch-site': 'same-origin' }
      const signedIn = await program(console).call(
        'auth.signIn',
        credentials,
        fromProxy('198.51.100.1', origin),
      )
      expect(signedIn.status).toBe(200)
      const device = signedIn.headers
        .getSetCookie()
        .find((cookie) => cookie.startsWith('holdfast-device='))
        ?.split(';')[0] as string

      const statuses: number[] = []
      for (let index = 0; index < 30; index++) {
        statuses.push((await guess(console, admin.email, fromProxy(`203.0.113.${index + 1}`))).status)
      }
      // Four times the limit of one address, then the account is closed to strangers.
      expect(statuses).toEqual([...Array(20).fill(401), ...Array(10).fill(429)])
      const stranger = await program(console).post('/api/auth/login', credentials, fromProxy('198.51.100.9'))
      expect(stranger.status).toBe(429)
      const known = await program(console).call(
        'auth.signIn',
        credentials,
        fromProxy('198.51.100.9', { ...origin, cookie: device }),
      )
      expect(known.status).toBe(200)
      expect((await events(console, await enrolled(console, device))).length).toBeGreaterThan(0)
    } finally {
      await console.stop()
    }
  })
})

/** An access token of a session that may read events: with its factor. */
async function enrolled(console: RunningConsole, device: string): Promise<string> {
  const { enrolByProgram } = await import('../program')
  const headers = { origin: console.url, 'sec-fetch-site': 'same-origin', cookie: device }
  const answer = await program(console).call('auth.signIn', credentials, headers)
  const token = answer.headers
    .getSetCookie()
    .find((cookie) => cookie.startsWith('holdfast-access='))
    ?.split(/[=;]/)[1] as string
  await enrolByProgram(console.url, token, 2)
  return token
}
