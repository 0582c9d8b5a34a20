import { generateSync } from 'otplib'
import { system } from '@/server/audit'
import type { Security } from '@/server/security'
import type { openConsole } from './console'

type Console = Awaited<ReturnType<typeof openConsole>>

const password = 'a horse, a battery and a staple'

/** Everybody who may come to a console: the bearer token of each, who they are, and the admin's next code. */
export async function openPeople({ runtime, rest, call }: Console) {
  const { security } = runtime
  const ana = await person(security, 'ana', 'admin')
  const eva = await person(security, 'eva', 'admin')
  const otto = await person(security, 'otto', 'operator')
  const vera = await person(security, 'vera', 'viewer')
  const paul = await person(security, 'paul', 'operator')
  const signIn = async (email: string) => {
    const { body } = await rest('POST', '/api/auth/login', null, { email, password })
    return body.tokens.accessToken as string
  }

  let admin = await signIn(ana.email)
  const begun = await rest('POST', '/api/infrastructure/security/2fa/generate', admin)
  const code = codes(begun.body.secret)
  const { factorId } = begun.body
  const enrolled = await rest('POST', '/api/infrastructure/security/2fa/verify', admin, {
    factorId,
    code: code(),
  })
  if (enrolled.outcome !== 'ok') throw new Error(`The admin could not enrol: ${JSON.stringify(enrolled)}`)

  const input = { name: 'Reads health', permissions: ['system:read'], days: 1 }
  const stepUp = { action: 'security.createApiKey', input, code: code() }
  const granted = await rest('POST', '/api/auth/step-up', admin, stepUp)
  if (granted.outcome !== 'ok') throw new Error(`No grant was made: ${JSON.stringify(granted)}`)
  admin = granted.body.tokens.accessToken
  const made = await call('security.createApiKey', 'mutation', admin, input, {
    'holdfast-step-up': granted.body.grantId,
  })
  if (made.outcome !== 'ok') throw new Error(`No API key was made: ${JSON.stringify(made)}`)

  await security.users.requirePasswordChange({ userId: paul.userId }, system)
  const tokens: Record<Who, string | null> = {
    'signed out': null,
    viewer: await signIn(vera.email),
    operator: await signIn(otto.email),
    admin,
    'admin who must enrol': await signIn(eva.email),
    'operator who must change the password': await signIn(paul.email),
    'API key for system:read': made.body.key,
  }
  return { tokens, users: { ana, eva, otto, vera, paul }, code }
}

export type Who =
  | 'signed out'
  | 'viewer'
  | 'operator'
  | 'admin'
  | 'admin who must enrol'
  | 'operator who must change the password'
  | 'API key for system:read'

async function person(security: Security, name: string, role: 'viewer' | 'operator' | 'admin') {
  const email = `${name}@example.org`
  const { userId } = await security.machine.createUser({ email, name, role, password }, system)
  return { email, userId }
}

/** Codes of an authenticator app. Each works once, so every call takes the next step, from the earliest on. */
function codes(secret: string) {
  let step = Math.floor(Date.now() / 30_000) - 8
  return () => generateSync({ secret, epoch: ++step * 30 })
}
