import { admin } from '@/e2e/admin'
import { bearer, enrolByProgram, program, setUpByProgram } from '@/e2e/program'
import type { RunningConsole } from '@/e2e/server'
import type { Credentials } from './console-load'

/** Makes the first admin with a second factor, what the load needs, and a webhook of alerts where one is named. */
export async function openAccount(
  first: RunningConsole,
  webhook?: string,
): Promise<Credentials & { refreshToken: string }> {
  const { url } = first
  let token = (await setUpByProgram(first)).accessToken
  const { app } = await enrolByProgram(url, token, 10)
  const { post, call } = program({ url })
  const privileged = async (action: string, input: object) => {
    const granted = await post('/api/auth/step-up', { action, input, code: app.next() }, bearer(token))
    token = granted.body.tokens.accessToken
    const answer = await call(action, input, { ...bearer(token), 'holdfast-step-up': granted.body.grantId })
    if (answer.status !== 200) throw new Error(`${action}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const permissions = ['security:ingest', 'security:operate']
  const { key } = await privileged('security.createApiKey', { name: 'shop', permissions, days: 1 })
  if (webhook !== undefined) {
    const channel = { kind: 'webhook', name: 'chaos', url: webhook, leastSeverity: 'info', enabled: true }
    await privileged('security.alerts.addChannel', channel)
  }
  const signedIn = await post('/api/auth/login', { email: admin.email, password: admin.password })
  const verified = await post('/api/auth/verify', { challenge: signedIn.body.challenge, code: app.next() })
  if (verified.status !== 200) throw new Error(`Sign-in: ${JSON.stringify(verified.body)}`)
  const { accessToken: session, refreshToken } = verified.body.tokens
  return { key, session, refreshToken }
}
