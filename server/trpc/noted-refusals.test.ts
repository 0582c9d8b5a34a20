import { asc, inArray } from 'drizzle-orm'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openConsole, trpcAnswer, url } from '@/server/routers/testing/console'
import { openPeople } from '@/server/routers/testing/people'

let console: Awaited<ReturnType<typeof openConsole>>
let people: Awaited<ReturnType<typeof openPeople>>
const undo: (() => unknown)[] = []
beforeAll(async () => {
  console = await openConsole((step) => undo.push(step))
  people = await openPeople(console)
})
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** The refusals that the log tells of, once all that was noted so far is written. */
async function told(...names: string[]) {
  const { store, refusals } = console.runtime
  await refusals.sweep()
  const { auditEvents: events } = store.tables
  const rows = await store.db
    .select()
    .from(events)
    .where(inArray(events.event, names))
    .orderBy(asc(events.seq))
  return rows.map(({ event, actor, address, target, reason, after }) => ({
    ...{ event, actor, address, target, reason },
    ...(JSON.parse(after ?? '{}') as { count?: number }),
  }))
}

it('tells who asked for what his role does not allow, and a loop of it by a handful of events', async () => {
  for (let time = 0; time < 100; time++) {
    const { outcome } = await console.call('security.setRole', 'mutation', people.tokens.viewer, {})
    expect(outcome).toBe('FORBIDDEN')
  }
  const events = await told('authz_fail')
  expect(events[0]).toMatchObject({
    ...{ actor: 'vera@example.org', address: '127.0.0.1', target: 'procedure:security.setRole' },
    reason: expect.stringContaining('viewer'),
  })
  expect(events.map(({ count = 1 }) => count)).toEqual([1, 9, 90])
})

it('tells of tokens that the console never signed, and not of none, of one that ran out, or of a session that ended', async () => {
  const forged = (life: string) =>
    new SignJWT({ sid: 'x.1' })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'x' })
      .setSubject(people.users.ana.userId)
      .setExpirationTime(life)
      .sign(new Uint8Array(32))
  const ask = async (token: string | null) => {
    expect((await console.call('auth.me', 'query', token)).outcome).toBe('UNAUTHENTICATED')
  }
  await ask(null)
  await ask(await forged('-1h'))
  const { outcome } = await console.call('auth.signOut', 'mutation', people.tokens.operator, {})
  expect(outcome).toBe('ok')
  await ask(people.tokens.operator)
  expect(await told('authn_token_invalid')).toEqual([])
  await ask(await forged('1h'))
  for (let time = 0; time < 9; time++) await ask(time % 2 ? 'hf_unknown' : 'not.a.token')
  const events = await told('authn_token_invalid')
  expect(events.map(({ reason }) => reason)).toEqual([
    'an access token that the console never signed',
    'an access token that is malformed',
  ])
  expect(events.map(({ count = 1 }) => count)).toEqual([1, 9])
})

it('tells of state changes from another origin, and of bodies that no page sends, but not of wrong values', async () => {
  const send = (body: string, headers: Record<string, string>) =>
    trpcAnswer(
      new Request(`${url}/api/trpc/auth.signIn`, {
        ...{ method: 'POST', body },
        headers: { 'content-type': 'application/json', 'x-holdfast-peer': '192.0.2.9', ...headers },
      }),
    )
  await send('{}', { origin: 'https://evil.example', cookie: 'a=b' })
  expect(await told('malicious_cors')).toMatchObject([{ address: '192.0.2.9', actor: 'anonymous' }])
  await send('{"email":"no address","password":""}', {})
  expect(await told('input_validation_fail')).toEqual([])
  await send('{"email":"ana@example.org","password":"x","isAdmin":true}', {})
  await send('a=b', { 'content-type': 'application/x-www-form-urlencoded', 'x-holdfast-peer': '192.0.2.10' })
  await send(`"${'x'.repeat(2_000_000)}"`, { 'x-holdfast-peer': '192.0.2.11' })
  const events = await told('input_validation_fail')
  expect(events.map(({ address, reason }) => [address, reason])).toEqual([
    ['192.0.2.9', 'a body that no page of the console sends'],
    ['192.0.2.10', 'a body of another type than JSON'],
    ['192.0.2.11', 'a body that is too large'],
  ])
})
