import { randomUUID } from 'node:crypto'
import { bearer, program } from '@/e2e/program'
import { from, type Person, type Place } from './people'

const tool = 'python-requests/2.32'

/** One address asks for accounts until it finds some. */
export async function enumerate(place: Place, address: string): Promise<void> {
  const names =
    'admin root test info sales office backup support billing service guest user jobs press'.split(' ')
  for (const name of names) {
    const given = { email: `${name}@example.org`, password: 'Summer2026!Summer' }
    await program(place).post('/api/auth/login', given, from(address, tool))
  }
}

/** One address tries passwords on an account, until it is blocked. */
export async function bruteForce(place: Place, address: string, email: string): Promise<void> {
  for (let attempt = 0; attempt < 70; attempt++) {
    const given = { email, password: `not the password, try ${attempt}` }
    await program(place).post('/api/auth/login', given, from(address, tool))
  }
}

/** A refresh token comes back after its owner has used it: the session ends, and its owner signs in anew. */
export async function reuseRefresh(place: Place, victim: Person, address: string): Promise<void> {
  const stolen = victim.refreshToken()
  const http = program(place)
  const own = await http.post('/api/auth/refresh', { refreshToken: stolen }, from('192.0.2.31'))
  await http.post('/api/auth/refresh', { refreshToken: own.body.tokens.refreshToken }, from('192.0.2.31'))
  await http.post('/api/auth/refresh', { refreshToken: stolen }, from(address, tool))
}

/** Access tokens that the console never signed. */
export async function forgeTokens(place: Place, address: string): Promise<void> {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  for (let number = 0; number < 12; number++) {
    const claims = { sub: randomUUID(), iss: place.url, aud: 'holdfast', exp: Date.now() / 1_000 + 600 }
    const token = `${part({ alg: 'none', typ: 'at+jwt' })}.${part(claims)}.x`
    await program(place).get('/api/auth/me', { ...bearer(token), ...from(address, tool) })
  }
}

export interface Reported {
  event: string
  actor: string
  outcome: 'success' | 'failure'
  address: string
}

/** Sends what happened to customers of the sample application to the console's log. */
export async function report(place: Place, key: string, events: Reported[]): Promise<void> {
  const once = { ...bearer(key), ...from('192.0.2.50', 'shop/1.0'), 'idempotency-key': `"${randomUUID()}"` }
  const body = { source: 'shop', events }
  const answer = await program(place).post('/api/infrastructure/security/events', body, once)
  if (answer.status >= 400) throw new Error(`A report was refused: ${JSON.stringify(answer.body)}`)
}

export const customer = (number: number) => `customer-${number}@shop.example`

/** One network, few passwords, many accounts. */
export function spraying(address: (number: number) => string): Reported[] {
  return Array.from({ length: 30 }, (_, number) => ({
    ...{ event: 'authn_login_fail', actor: customer(number), outcome: 'failure' as const },
    address: address(number),
  }))
}

/** Many addresses, one account. */
export function distributed(): Reported[] {
  return Array.from({ length: 24 }, (_, number) => ({
    ...{ event: 'authn_login_fail', actor: customer(7), outcome: 'failure' as const },
    address: `203.0.113.${10 + (number % 12)}`,
  }))
}

/** What customers do on any day, one in twelve with a wrong password. */
export function everyday(below: (limit: number) => number): Reported[] {
  return Array.from({ length: 3 }, () => {
    const number = below(400)
    const fails = below(12) === 0
    return {
      event: fails ? 'authn_login_fail' : 'authn_login_success',
      actor: customer(number),
      outcome: fails ? ('failure' as const) : ('success' as const),
      address: `198.51.100.${number % 250}`,
    }
  })
}
