import { generateSync } from 'otplib'
import { type Answer, bearer, program } from '@/e2e/program'

export const password = 'a horse, a battery and a staple'

/** Codes work once each: this hands out one step after another, as far as the console's window of ten reaches. */
export function codesOf(secret: string): () => string {
  const now = () => Math.floor(Date.now() / 30_000)
  let last = now() - 9
  return () => {
    last = Math.max(last + 1, now() - 9)
    return generateSync({ secret, epoch: last * 30, period: 30 })
  }
}

/** Somebody who works with a console from an address of the documentation's networks (RFC 5737). */
export interface Person {
  email: string
  /** Calls a procedure; throws its error. */
  // biome-ignore lint/suspicious/noExplicitAny: the demo reads what it expects, and fails on anything else
  ask(procedure: string, input?: unknown, headers?: Record<string, string>): Promise<any>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  read(path: string): Promise<any>
  /** The same after a step-up by a code. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  confirmed(procedure: string, input: unknown): Promise<any>
  /** Signs in anew. */
  signIn(): Promise<void>
  refreshToken(): string
}

/** The demo stands where a trusted proxy would: it says from where somebody comes. */
export const from = (address: string, userAgent = 'Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0') => ({
  'x-forwarded-for': address,
  'user-agent': userAgent,
})

export interface Place {
  url: string
}

function checked(what: string, { status, body }: Answer) {
  if (status >= 400)
    throw new Error(`${what} answered ${status} ${body?.code}: ${body?.detail ?? body?.remedy}`)
  return body
}

export function openPerson(
  place: Place,
  { email, address, code }: { email: string; address: string; code?: () => string },
  tokens = { accessToken: '', refreshToken: '' },
): Person {
  const http = program(place)
  const headers = () => ({ ...bearer(tokens.accessToken), ...from(address) })
  let signingIn: Promise<void> | null = null
  /** An access token lives a quarter of an hour, a session until an attack on it: then somebody signs in anew, once. */
  async function again(what: string, send: () => Promise<Answer>) {
    const first = await send()
    if (first.status !== 401) return checked(what, first)
    signingIn ??= person.signIn().finally(() => {
      signingIn = null
    })
    await signingIn
    return checked(what, await send())
  }
  const person: Person = {
    email,
    ask: (procedure, input = {}, more = {}) =>
      again(procedure, () => http.call(procedure, input, { ...headers(), ...more })),
    read: (path) => again(path, () => http.get(`/api/infrastructure/${path}`, headers())),
    async confirmed(procedure, input) {
      const granted = await person.ask('auth.stepUp', { action: procedure, input, code: code?.() })
      tokens = granted.tokens ?? tokens
      return person.ask(procedure, input, { 'holdfast-step-up': granted.grantId })
    },
    async signIn() {
      const given = { email, password }
      let answer = checked('auth/login', await http.post('/api/auth/login', given, from(address)))
      if (answer.state === 'factor') {
        const proof = { challenge: answer.challenge, code: code?.() }
        answer = checked('auth/verify', await http.post('/api/auth/verify', proof, from(address)))
      }
      tokens = answer.tokens
    },
    refreshToken: () => tokens.refreshToken,
  }
  return person
}

/** Makes the first admin by the printed link, with an authenticator app that the demo holds. */
export async function makeAdmin(place: Place, setUpLink: string) {
  const [email, address] = ['ada@example.org', '192.0.2.10']
  const token = setUpLink.split('#')[1]
  const input = { token, email, name: 'Ada Admin', password }
  const { tokens } = checked('auth.setUp', await program(place).call('auth.setUp', input, from(address)))
  const first = openPerson(place, { email, address }, tokens)
  const begun = await first.ask('account.beginTotp')
  const code = codesOf(begun.secret)
  const done = await first.ask('account.activateTotp', { factorId: begun.factorId, code: code() })
  return {
    admin: openPerson(place, { email, address, code }, tokens),
    secret: begun.secret as string,
    backupCodes: done.backupCodes as string[],
    code,
  }
}

/** Invites somebody, who accepts. */
export async function invite(
  place: Place,
  admin: Person,
  { email, name, role, address }: { email: string; name: string; role: string; address: string },
): Promise<Person> {
  const { link } = await admin.confirmed('security.inviteUser', { email, name, role })
  const input = { token: link.split('#')[1], password }
  const { tokens } = checked('auth.useLink', await program(place).call('auth.useLink', input, from(address)))
  return openPerson(place, { email, address }, tokens)
}
