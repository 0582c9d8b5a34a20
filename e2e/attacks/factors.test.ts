import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { credentials } from '../admin'
import { authenticatorApp, bearer, enrolByProgram, program, setUpByProgram } from '../program'
import { type RunningConsole, startConsole } from '../server'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 })

/** Ten steps of 30 s each way: as many codes as a test needs without waiting for the next one. */
const window = 10
const env = {
  ...{ TWO_FA_WINDOW: String(window), MAX_LOGIN_ATTEMPTS: '1000', MAX_SESSIONS_PER_USER: '1000' },
  // Codes are tried here faster than the limits of the ways in allow.
  ...{ RATE_LIMIT_ENDPOINTS: 'auth.signIn=off,auth.verify=off', BLOCK_AFTER: 'off' },
}

let console: RunningConsole
let enrolled: Awaited<ReturnType<typeof enrolByProgram>>
const post = (path: string, body: unknown, headers?: Record<string, string>) =>
  program(console).post(path, body, headers)

beforeAll(async () => {
  console = await startConsole({ env })
  const { accessToken } = await setUpByProgram(console)
  enrolled = await enrolByProgram(console.url, accessToken, window)
})
afterAll(() => console?.stop())

async function challenge(): Promise<string> {
  const { status, body } = await post('/api/auth/login', credentials)
  expect({ status, state: body.state, tokens: body.tokens }).toEqual({
    status: 200,
    state: 'factor',
    tokens: undefined,
  })
  return body.challenge
}

const successes = (answers: { status: number }[]) => answers.filter(({ status }) => status === 200).length

describe('an authenticator app', () => {
  it('is enrolled by a code of its own, and brings ten backup codes of 112 bits or more', () => {
    expect(enrolled.begun.body.uri).toMatch(/^otpauth:\/\/totp\/Holdfast:ana%40example\.org\?/)
    expect(enrolled.verified.status).toBe(200)
    expect(new Set(enrolled.backupCodes).size).toBe(10)
    for (const code of enrolled.backupCodes) {
      expect(code.replace(/-/g, '')).toMatch(/^[0-9A-Za-z]+$/)
      expect(code.replace(/-/g, '').length * 5).toBeGreaterThanOrEqual(112)
    }
  })

  it('signs in with the codes that oathtool makes', async () => {
    const { status, body } = await post('/api/auth/verify', {
      challenge: await challenge(),
      code: enrolled.app.next(),
    })
    expect({ status, methods: body.session?.methods }).toEqual({ status: 200, methods: ['pwd', 'otp'] })
  })

  it('lets one of twenty in who send the same code at once', async () => {
    const challenges = await Promise.all(Array.from({ length: 20 }, challenge))
    const code = enrolled.app.next()
    const answers = await Promise.all(
      challenges.map((each) => post('/api/auth/verify', { challenge: each, code })),
    )
    expect(successes(answers)).toBe(1)
  })

  it('takes no code twice, and none that is older than the last', async () => {
    const step = enrolled.app.last() + 2
    const { codeAt, next } = enrolled.app
    next()
    next()
    expect(
      (await post('/api/auth/verify', { challenge: await challenge(), code: codeAt(step) })).status,
    ).toBe(200)
    for (const old of [step, step - 1, step - 2]) {
      const answer = await post('/api/auth/verify', { challenge: await challenge(), code: codeAt(old) })
      expect({ steps: step - old, status: answer.status, code: answer.body.code }).toEqual({
        steps: step - old,
        status: 401,
        code: 'WRONG_CODE',
      })
    }
  })

  it('takes no code again after a restart', async () => {
    const code = enrolled.app.next()
    expect((await post('/api/auth/verify', { challenge: await challenge(), code })).status).toBe(200)
    const { dataDir, port } = console
    await console.stop({ keep: true })
    console = await startConsole({ env, dataDir, port })
    expect((await post('/api/auth/verify', { challenge: await challenge(), code })).status).toBe(401)
  })

  it('says by how much its clock is off when a code is right for another time', async () => {
    const { codeAt, now } = enrolled.app
    const { status, body } = await post('/api/auth/verify', {
      challenge: await challenge(),
      code: codeAt(now() - window - 4),
    })
    expect(status).toBe(401)
    expect(body.detail).toMatch(/about \d+ (s|seconds|min|minutes) behind/)
  })
})

describe('a challenge', () => {
  it('takes five codes, right or wrong, and works once', async () => {
    const first = await challenge()
    const [wrong] = enrolled.app.wrong(1)
    for (let attempt = 0; attempt < 5; attempt++) {
      expect((await post('/api/auth/verify', { challenge: first, code: wrong })).body.code).toBe('WRONG_CODE')
    }
    const late = await post('/api/auth/verify', { challenge: first, code: enrolled.app.next() })
    expect({ status: late.status, code: late.body.code }).toEqual({ status: 401, code: 'CHALLENGE_OVER' })

    const second = await challenge()
    expect((await post('/api/auth/verify', { challenge: second, code: enrolled.app.next() })).status).toBe(
      200,
    )
    const again = await post('/api/auth/verify', { challenge: second, code: enrolled.app.next() })
    expect(again.body.code).toBe('CHALLENGE_OVER')
  })

  it('lets five of a hundred guesses at once be checked', async () => {
    const token = await challenge()
    const answers = await Promise.all(
      enrolled.app.wrong(100).map((code) => post('/api/auth/verify', { challenge: token, code })),
    )
    expect(answers.filter(({ body }) => body.code === 'WRONG_CODE')).toHaveLength(5)
    expect(successes(answers)).toBe(0)
  })

  it('that nobody made is refused', async () => {
    for (const token of ['x', 'a'.repeat(43), '__proto__']) {
      const answer = await post('/api/auth/verify', { challenge: token, code: enrolled.app.codeAt(1) })
      expect({ status: answer.status, code: answer.body.code }).toEqual({
        status: 401,
        code: 'CHALLENGE_OVER',
      })
    }
  })
})

describe('a backup code', () => {
  it('lets one of thirty in who send it at once, and says in the log that it was used', async () => {
    const [code] = enrolled.backupCodes
    const challenges = await Promise.all(Array.from({ length: 30 }, challenge))
    const answers = await Promise.all(
      challenges.map((each) => post('/api/auth/verify', { challenge: each, code })),
    )
    expect(successes(answers)).toBe(1)
    const { accessToken } = answers.find(({ status }) => status === 200)?.body.tokens ?? {}
    const events = await program(console).query(
      'security.events.list?input=%7B%22limit%22%3A200%7D',
      bearer(accessToken),
    )
    const used = events.body.events.filter(
      ({ event }: { event: string }) => event === 'authn_backup_code_used',
    )
    expect(used).toHaveLength(1)
    expect(JSON.stringify(events.body)).not.toContain(code?.slice(0, 8))
  })

  it('is good however it is typed, and never for a step-up', async () => {
    const code = enrolled.backupCodes[1] ?? ''
    const typed = ` ${code.toLowerCase().replaceAll('-', ' ')} `
    const { status, body } = await post('/api/auth/verify', { challenge: await challenge(), code: typed })
    expect({ status, methods: body.session?.methods }).toEqual({ status: 200, methods: ['pwd', 'backup'] })
    const stepUp = await post(
      '/api/auth/step-up',
      { action: 'security.setFactorPolicy', input: { requiredRoles: [] }, code: enrolled.backupCodes[2] },
      bearer(body.tokens.accessToken),
    )
    expect({ status: stepUp.status, code: stepUp.body.code }).toEqual({ status: 401, code: 'WRONG_CODE' })
  })
})

describe('an account without its factor', () => {
  it('reaches nothing but itself while its role needs one', async () => {
    const fresh = await startConsole({ env })
    try {
      const { accessToken } = await setUpByProgram(fresh)
      const { query, call } = program(fresh)
      expect((await query('account.factors', bearer(accessToken))).body.required).toBe(true)
      for (const name of [
        'database.stats',
        'cache.stats',
        'security.users',
        'system.config',
        'migration.runs',
      ]) {
        const answer = await query(name, bearer(accessToken))
        expect({ name, status: answer.status, code: answer.body.code }).toEqual({
          name,
          status: 403,
          code: 'FACTOR_REQUIRED',
        })
      }
      const stepUp = await call(
        'auth.stepUp',
        { action: 'x', input: {}, code: '123456' },
        bearer(accessToken),
      )
      expect(stepUp.body.code).toBe('FACTOR_REQUIRED')

      // A code that is right, but of another secret.
      const begun = await call('account.beginTotp', {}, bearer(accessToken))
      const other = authenticatorApp('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', window)
      const wrong = await call(
        'account.activateTotp',
        { factorId: begun.body.factorId, code: other.next() },
        bearer(accessToken),
      )
      expect(wrong.body.code).toBe('WRONG_CODE')
      expect((await query('account.factors', bearer(accessToken))).body.totp).toBe(null)

      const { app } = await enrolByProgram(fresh.url, accessToken, window)
      expect((await query('database.stats', bearer(accessToken))).status).toBe(200)
      expect(app.last()).toBeGreaterThan(0)
    } finally {
      await fresh.stop()
    }
  })
})
