import { randomUUID } from 'node:crypto'
import type { AnyProcedure } from '@trpc/server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { q, unit } from '@/db/unit'
import { startCapture } from '@/server/migration/store/capture'
import { sealSecrets } from '@/server/security/alerts/sealed'
import { openApiDocument, stepUpMark } from '@/server/trpc/openapi/document'
import { appRouter } from './_app'
import { openConsole } from './testing/console'
import { openPeople } from './testing/people'

/** What there is to act on. */
interface Things {
  users: Record<'vera' | 'disabled' | 'invited', string>
  runs: Record<'planned' | 'completed' | 'switched_over' | 'foreign', string>
  passkey: string
  block: string
  /** Of advice that stands. */
  advice: string
  /** An index that was made from here. */
  change: string
  /** A channel of alerts. */
  channel: string
}

const channel = { kind: 'webhook', name: 'hook', leastSeverity: 'high', enabled: true } as const

/** Every action that takes a step-up, with an input that would do it. */
const steppedUp: Record<string, (things: Things) => object> = {
  'account.beginTotp': () => ({}),
  'account.removeTotp': () => ({}),
  'account.beginPasskey': () => ({}),
  'account.removePasskey': ({ passkey }) => ({ id: passkey }),
  'account.regenerateBackupCodes': () => ({}),
  'security.inviteUser': () => ({ email: 'new@example.org', name: 'New', role: 'viewer' }),
  'security.renewInvite': ({ users }) => ({ userId: users.invited }),
  'security.setRole': ({ users }) => ({ userId: users.vera, role: 'operator' }),
  'security.disableUser': ({ users }) => ({ userId: users.vera }),
  'security.enableUser': ({ users }) => ({ userId: users.disabled }),
  'security.resetPassword': ({ users }) => ({ userId: users.vera }),
  'security.resetFactor': ({ users }) => ({ userId: users.vera }),
  'security.setFactorPolicy': () => ({ requiredRoles: ['admin', 'operator'] }),
  'security.createApiKey': () => ({ name: 'new', permissions: ['system:read'], days: 1 }),
  'security.rotateSigningKeys': () => ({ revokeOld: false }),
  'security.alerts.addChannel': () => ({ ...channel, name: 'other', url: 'https://example.org/hook' }),
  'security.alerts.changeChannel': ({ channel: id }) => ({ ...channel, id, name: 'renamed' }),
  'security.alerts.removeChannel': ({ channel: id }) => ({ id }),
  'security.alerts.rotateSecret': ({ channel: id }) => ({ id }),
  'security.rules.set': () => ({ rule: 'brute-force', dryRun: true }),
  'security.audit.setRetention': () => ({ days: 365 }),
  'security.audit.prune': () => ({ days: 365 }),
  'security.audit.restored': () => ({ reason: 'from a backup' }),
  'security.blocks.lift': ({ block }) => ({ blockId: block }),
  'security.trusted.add': () => ({
    network: '198.51.100.0/24',
    owner: 'Ana',
    reason: 'office',
    expiresAt: null,
  }),
  'database.applyIndex': ({ advice }) => ({ key: advice }),
  'database.undoIndex': ({ change }) => ({ id: change }),
  'cache.clear': () => ({ scope: 'ours' }),
  'cache.deletePattern': () => ({ scope: 'ours', pattern: 'statistics:*' }),
  'migration.start': ({ runs }) => ({ id: runs.planned }),
  'migration.switchOver': ({ runs }) => ({ id: runs.completed }),
  'migration.cutOver': ({ runs }) => ({ id: runs.foreign }),
  'migration.switchBack': ({ runs }) => ({ id: runs.switched_over }),
}

/** Changes that an admin makes without one: each only takes something away, or is undone by another. */
const withoutStepUp = [
  'security.withdrawInvite',
  'security.requirePasswordChange',
  'security.endSession',
  'security.endSessions',
  'security.revokeApiKey',
  'security.trusted.remove',
  'migration.createConnection',
  'migration.updateConnection',
  'migration.deleteConnection',
  'migration.testConnection',
  'migration.deleteUpload',
  'migration.create',
  'migration.plan',
  'migration.rejectLimits',
  'migration.acceptRejects',
  'migration.choose',
  'migration.delete',
  'migration.reopenSource',
]

/** A user who was invited, one who is disabled, a passkey, and runs that wait for their step-up. */
const makeThings = unit('test.makeThings', function* (tx, made: Made) {
  const { users, runs, passkey, change, ana } = made
  const { tables, db } = tx
  const now = Date.now()
  const account = { role: 'viewer' as const, createdAt: now, updatedAt: now }
  yield* q(
    db
      .insert(tables.users)
      .values({ ...account, id: users.invited, email: 'ivy@example.org', name: 'Ivy', state: 'invited' }),
  )
  yield* q(
    db
      .insert(tables.users)
      .values({ ...account, id: users.disabled, email: 'olga@example.org', name: 'Olga', state: 'disabled' }),
  )
  yield* q(
    db.insert(tables.passkeys).values({
      ...{ id: passkey, userId: ana, name: 'Laptop', credentialId: 'credential', publicKey: 'key' },
      ...{ counter: 0, transports: [], backedUp: false, createdAt: now },
    }),
  )
  yield* q(
    db.insert(tables.alertChannels).values({
      ...{ ...channel, id: made.channel, secretSealed: made.secretSealed, createdBy: 'test' },
      config: { origin: 'https://example.org', headerNames: [], previousUntil: null },
      ...{ createdAt: now, updatedAt: now },
    }),
  )
  yield* q(
    db.insert(tables.indexChanges).values({
      ...{ id: change, key: 'made', kind: 'create', dialect: 'sqlite', table: 'users', index: 'made' },
      ...{ ddl: 'CREATE INDEX made ON users (name)', undo: 'DROP INDEX made', state: 'applied' },
      ...{ actor: 'ana@example.org', requestedAt: now, fingerprints: [] },
    }),
  )
  yield* q(
    db.insert(tables.migrationRuns).values({
      ...{ id: runs.foreign, sourceKind: 'folder', source: '/srv/app.db', sourceName: 'app.db' },
      ...{ target: {}, state: 'completed', plan: { tables: [] }, checks: [], createdAt: now },
      validation: { ok: true, tables: [], checks: [], sourceChanged: false },
    }),
  )
  for (const state of ['planned', 'completed', 'switched_over'] as const) {
    yield* q(
      db.insert(tables.migrationRuns).values({
        ...{ id: runs[state], sourceKind: 'store', source: 'holdfast.db', sourceName: 'The store' },
        ...{ target: {}, state, plan: { tables: [] }, checks: [], createdAt: now },
        validation: { ok: true, tables: [], checks: [], sourceChanged: false },
      }),
    )
  }
})
type Made = Omit<Things, 'advice'> & { ana: string; secretSealed: string }

let console: Awaited<ReturnType<typeof openConsole>>
let things: Things
let admin: string | null
const undo: (() => unknown)[] = []
beforeAll(async () => {
  console = await openConsole((step) => undo.push(step))
  const { tokens, users } = await openPeople(console)
  admin = tokens.admin
  const { store, database } = console.runtime
  const made = {
    users: { vera: users.vera.userId, disabled: randomUUID(), invited: randomUUID() },
    runs: {
      planned: randomUUID(),
      completed: randomUUID(),
      switched_over: randomUUID(),
      foreign: randomUUID(),
    },
    passkey: randomUUID(),
    block: randomUUID(),
    change: randomUUID(),
    channel: randomUUID(),
  }
  const secrets = { url: 'https://example.org/hook', headers: {}, secret: 'whsec_c2VjcmV0', previous: null }
  const secretSealed = sealSecrets(console.runtime.vault, made.channel, secrets)
  await store.run(makeThings, { ...made, ana: users.ana.userId, secretSealed })
  if (database.dialect === 'sqlite') {
    await database.alone((client) => {
      startCapture(client, store.tables)
      client.exec('CREATE INDEX one ON users (name); CREATE INDEX other ON users (name)')
    })
  }
  const { problems } = await console.runtime.indexes.advice({ fresh: true })
  const advice = problems.find(({ kind, key }) => kind === 'duplicate' && key)?.key
  if (!advice) throw new Error('A doubled index should be noticed.')
  things = { ...made, advice }
})
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

it('leaves no change of an admin undecided', () => {
  const procedures = Object.entries(appRouter._def.procedures as unknown as Record<string, AnyProcedure>)
  const manage = procedures.flatMap(([name, { _def }]) => {
    const { permission } = _def.meta as { permission: string }
    return permission.endsWith(':manage') && _def.type === 'mutation' ? [name] : []
  })
  const ofOthers = (name: string) => name.startsWith('account.') || name === 'security.blocks.lift'
  const decided = [...Object.keys(steppedUp).filter((name) => !ofOthers(name)), ...withoutStepUp]
  expect(manage.sort()).toEqual(decided.sort())
})

it('says in the reference of exactly these actions that they ask for a fresh factor', () => {
  const { paths } = openApiDocument(appRouter, { url: 'http://localhost:3000', version: '0.0.0' })
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
  const marked = operations.filter(({ description }) => description.includes(stepUpMark))
  expect(marked.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(steppedUp).sort())
})

it.each(Object.entries(steppedUp))(
  '%s is refused without a grant, and with one that does not exist',
  async (name, input) => {
    for (const grant of [undefined, { 'holdfast-step-up': randomUUID() }]) {
      const { outcome, body } = await console.call(name, 'mutation', admin, input(things), grant)
      expect(outcome).toBe('STEP_UP_REQUIRED')
      expect(body.error.data).toMatchObject({ httpStatus: 403, details: { action: name } })
    }
  },
)

it('migration.start is refused over REST, too', async () => {
  const input = { id: things.runs.planned }
  const { outcome, body } = await console.rest('POST', '/api/infrastructure/migration/start', admin, input)
  expect(outcome).toBe('STEP_UP_REQUIRED')
  expect(body).toMatchObject({ status: 403, details: { action: 'migration.start' } })
})
