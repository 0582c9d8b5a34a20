import { randomUUID } from 'node:crypto'
import type { AnyProcedure } from '@trpc/server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type IdempotencyKind, kindOf } from '@/server/trpc/idempotency-kinds'
import { openApiDocument } from '@/server/trpc/openapi/document'
import { appRouter } from './_app'
import { openConsole, url } from './testing/console'
import { openPeople } from './testing/people'

/**
 * What a key means for every mutation whose answer is something, and for those that do more than the store can roll
 * back. The others answer nothing and are one unit of the store.
 */
const decided: Record<Exclude<IdempotencyKind, 'nothing'>, string[]> = {
  unit: ['security.blocks.add', 'security.events.report'],
  refused: [
    ...['setUp', 'useLink', 'signIn', 'verify', 'passkeySignIn', 'refresh', 'stepUp'].map(
      (name) => `auth.${name}`,
    ),
  ],
  looks: [
    ...['checkSetUpLink', 'checkLink', 'passkeyOptions', 'stepUpOptions'].map((name) => `auth.${name}`),
    'security.rules.try',
  ],
  later: [
    ...['changePassword', 'beginTotp', 'activateTotp', 'beginPasskey', 'addPasskey'].map(
      (name) => `account.${name}`,
    ),
    ...['account.regenerateBackupCodes', 'account.endOtherSessions', 'database.applyIndex'],
    ...['markSeen', 'addChannel', 'rotateSecret', 'retry'].map((name) => `security.alerts.${name}`),
    ...['setRetention', 'restored'].map((name) => `security.audit.${name}`),
    ...['inviteUser', 'renewInvite', 'resetPassword', 'endSessions', 'createApiKey'].map(
      (name) => `security.${name}`,
    ),
    ...['security.rules.set', 'security.trusted.add'],
    ...['createConnection', 'updateConnection', 'create'].map((name) => `migration.${name}`),
  ],
  claimed: [
    ...['cancelSession', 'terminateSession', 'maintain', 'test'].map((name) => `database.${name}`),
    ...['expire', 'deleteKeys', 'resetSlowLog', 'deletePattern', 'clear'].map((name) => `cache.${name}`),
    ...['security.alerts.testChannel', 'security.audit.verify', 'security.audit.prune'],
    ...['testTarget', 'testConnection', 'deleteUpload', 'plan', 'choose', 'start', 'pause', 'resume'].map(
      (name) => `migration.${name}`,
    ),
    ...['validate', 'cancel', 'delete', 'cutOver', 'reopenSource', 'switchOver', 'switchBack'].map(
      (name) => `migration.${name}`,
    ),
  ],
}

const mutations = Object.entries(
  appRouter._def.procedures as unknown as Record<string, AnyProcedure>,
).flatMap(([name, { _def }]) => (_def.type === 'mutation' ? [name] : []))

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

it('leaves no mutation undecided', () => {
  const wrong = mutations.filter((name) => {
    const kind = kindOf(name)
    return kind !== 'nothing' && !decided[kind].includes(name)
  })
  expect(wrong).toEqual([])
  const all = Object.entries(decided).flatMap(([kind, names]) => names.map((name) => [name, kind]))
  expect(all.filter(([name = '', kind]) => !mutations.includes(name) || kindOf(name) !== kind)).toEqual([])
})

it('says in the reference of every mutation that keeps its answer that it takes a key', () => {
  const { paths } = openApiDocument(appRouter, { url, version: '0.0.0' })
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
  const marked = operations.filter(({ parameters }) =>
    parameters.some(({ name }) => name === 'Idempotency-Key'),
  )
  const keeps = mutations.filter((name) => !['looks', 'refused'].includes(kindOf(name)))
  expect(marked.map(({ operationId }) => operationId).sort()).toEqual(keeps.sort())
})

it.each(mutations)(
  '%s takes a key or says that it does not, and is no server error with one',
  async (name) => {
    const key = { 'idempotency-key': randomUUID() }
    const send = () => console.call(name, 'mutation', people.tokens.admin, { nobodyAskedForThis: true }, key)
    const first = await send()
    if (kindOf(name) === 'refused') {
      expect(first).toMatchObject({
        outcome: 'BAD_INPUT',
        body: { error: { message: /takes no Idempotency-Key/ } },
      })
      return
    }
    expect(first.outcome).not.toBe('INTERNAL')
    // What failed left nothing behind: the same fails in the same way.
    if (first.outcome !== 'ok') expect((await send()).outcome).toBe(first.outcome)
  },
)

it('blocks an address once over tRPC and REST, and answers the second time what it answered the first', async () => {
  const { operator } = people.tokens
  const input = { network: '198.51.100.7', reason: 'noise', durationMs: 60_000 }
  const key = { 'idempotency-key': '"one block"'.replace(' ', '-') }
  const first = await console.call('security.blocks.add', 'mutation', operator, input, key)
  const second = await console.call('security.blocks.add', 'mutation', operator, input, key)
  const third = await console.rest('POST', '/api/infrastructure/security/blocks/add', operator, input, key)
  expect(first.outcome).toBe('ok')
  expect(second).toEqual(first)
  expect(third).toEqual(first)
  const without = await console.call('security.blocks.add', 'mutation', operator, input)
  expect(without.outcome).toBe('CONFLICT')
  const other = { ...input, reason: 'other' }
  const changed = await console.call('security.blocks.add', 'mutation', operator, other, key)
  expect(changed.outcome).toBe('CHECK_FAILED')
  // Another user's key of the same name is another key.
  const { admin } = people.tokens
  expect((await console.call('security.blocks.add', 'mutation', admin, other, key)).outcome).toBe('CONFLICT')
})

it('answers an API key again that is shown once, with the grant that was used up, and to nobody else', async () => {
  const { admin, viewer } = people.tokens
  const input = { name: 'Once', permissions: ['system:read'], days: 1 }
  const proof = { action: 'security.createApiKey', input, code: people.code() }
  const granted = await console.rest('POST', '/api/auth/step-up', admin, proof)
  const token = granted.body.tokens.accessToken
  const headers = { 'idempotency-key': randomUUID(), 'holdfast-step-up': granted.body.grantId }
  const send = (who: string | null) => console.call('security.createApiKey', 'mutation', who, input, headers)
  const first = await send(token)
  expect(first.body.key).toMatch(/^hf/)
  expect(await send(token)).toEqual(first)
  expect((await send(viewer)).outcome).toBe('FORBIDDEN')
  const { store } = console.runtime
  const named = (await store.db.select().from(store.tables.apiKeys)).filter(({ name }) => name === 'Once')
  expect(named).toHaveLength(1)
  const rows = JSON.stringify(await store.db.select().from(store.tables.idempotencyKeys))
  expect(rows).not.toContain(first.body.key)
})
