import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { GET as checkpointsRoute } from '@/app/api/security/audit/checkpoints/route'
import { openConsole, url } from '../testing/console'
import { openPeople } from '../testing/people'

let console: Awaited<ReturnType<typeof openConsole>>
let tokens: Awaited<ReturnType<typeof openPeople>>['tokens']
const undo: (() => unknown)[] = []
beforeAll(async () => {
  console = await openConsole((step) => undo.push(step))
  tokens = (await openPeople(console)).tokens
})
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const download = (token: string | null) =>
  checkpointsRoute(
    new Request(`${url}/api/security/audit/checkpoints`, {
      headers: {
        'x-holdfast-peer': '127.0.0.1',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
    }),
  )

describe('the audit log over HTTP', () => {
  it('is verified by a button, answers at once, and tells what came of it', async () => {
    const { outcome, body } = await console.call('security.audit.verify', 'mutation', tokens.operator)
    expect(outcome).toBe('ok')
    expect(body).toMatchObject({ by: expect.stringContaining('otto') })
    const verified = await vi.waitFor(
      async () => {
        const { body: answer } = await console.rest(
          'GET',
          '/api/infrastructure/security/audit/verification',
          tokens.viewer,
        )
        expect(answer).toMatchObject({ verifying: null, verified: { error: null } })
        return answer.verified
      },
      { timeout: 20_000, interval: 50 },
    )
    expect(verified.result).toMatchObject({ sound: true, found: [], first: 1 })
    const { body: state } = await console.rest('GET', '/api/infrastructure/security/audit', tokens.viewer)
    expect(state).toMatchObject({
      protection: 'tamper-evident, not append-only',
      problem: null,
      verified: { by: expect.stringContaining('otto') },
    })
  })

  it('hands out checkpoints and the public key to whoever may read, and to nobody else', async () => {
    await console.runtime.audit.checkpoint()
    const answer = await download(tokens.viewer)
    expect(answer.headers.get('content-disposition')).toContain('holdfast-checkpoints.ndjson')
    const lines = (await answer.text()).trim().split('\n')
    const { body } = await console.call('security.audit.publicKey', 'query', tokens.viewer)
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ epoch: 1, key: body.keys[0].id })
    expect(body.keys[0].pem).toMatch(/^-----BEGIN PUBLIC KEY-----/)
    expect((await download(null)).status).toBe(401)
  })
})
