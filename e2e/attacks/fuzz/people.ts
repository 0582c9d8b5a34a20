import { randomUUID } from 'node:crypto'
import { type Authenticator, openAuthenticator } from '@/server/security/testing/authenticator'
import { admin } from '../../admin'
import { bearer, program, setUpByProgram } from '../../program'
import type { RunningConsole } from '../../server'
import type { Role } from './document'

/** Somebody with a passkey, which proves as often as it is asked for. */
export interface Person {
  userId: string
  role: Role
  password: string
  accessToken: string
  refreshToken: string
  passkey: Authenticator
}

const first = 'an ox, a lantern and a ladder'

/** The first admin, and others by invitation. */
export async function openPeople(console: RunningConsole) {
  const { post, call } = program(console)
  let replacing = Promise.resolve()

  async function answered(procedure: string, input: object, headers: Record<string, string> = {}) {
    const { status, body } = await call(procedure, input, headers)
    if (status !== 200) throw new Error(`${procedure}: ${status} ${JSON.stringify(body)}`)
    return body
  }

  async function enrol(person: Omit<Person, 'passkey'>): Promise<Person> {
    const passkey = openAuthenticator(console.url)
    const own = bearer(person.accessToken)
    const { options } = await answered('account.beginPasskey', { password: person.password }, own)
    await answered('account.addPasskey', { name: 'software', response: passkey.create(options) }, own)
    const enrolled = { ...person, passkey }
    await signIn(enrolled)
    return enrolled
  }

  /** Opens another session, whatever became of the one before. Whose passkey or account is gone is invited anew. */
  async function signIn(person: Person): Promise<void> {
    const { options } = await answered('auth.passkeyOptions', {})
    const { status, body } = await call('auth.passkeySignIn', { passkey: person.passkey.get(options) })
    if (status === 200) Object.assign(person, body.tokens)
    else if (person.userId !== root.userId) await replace(person)
    else throw new Error(`The first admin cannot sign in: ${status} ${JSON.stringify(body)}`)
  }

  /** One at a time: each step-up gives the first admin another access token. */
  function replace(person: Person): Promise<void> {
    replacing = replacing.then(async () => {
      await signIn(root)
      Object.assign(person, await invite(root, person.role))
    })
    return replacing
  }

  /** The header of a fresh grant; none where it was refused. The session has a new access token afterwards. */
  async function stepUp(person: Person, action: string, input: unknown): Promise<Record<string, string>> {
    const own = bearer(person.accessToken)
    const { body } = await call('auth.stepUpOptions', {}, own)
    if (!body.passkey) return {}
    const proof = { action, input, passkey: person.passkey.get(body.passkey) }
    const granted = await post('/api/auth/step-up', proof, own)
    if (granted.status !== 200) return {}
    Object.assign(person, { accessToken: granted.body.tokens.accessToken })
    return { 'holdfast-step-up': granted.body.grantId }
  }

  async function invite(by: Person, role: Role): Promise<Person> {
    const email = `${role}-${randomUUID().slice(0, 8)}@example.org`
    const invited = { email, name: role, role }
    const headers = await stepUp(by, 'security.inviteUser', invited)
    const { link } = await answered('security.inviteUser', invited, { ...bearer(by.accessToken), ...headers })
    const used = await answered('auth.useLink', { token: link.split('#')[1], password: first })
    return enrol({ userId: used.session.userId, role, password: first, ...used.tokens })
  }

  const tokens = await setUpByProgram(console)
  const me = await program(console).get('/api/auth/me', bearer(tokens.accessToken))
  const root = await enrol({ userId: me.body.userId, role: 'admin', password: admin.password, ...tokens })
  return { root, signIn, stepUp, invite }
}

export type People = Awaited<ReturnType<typeof openPeople>>
