import { randomUUID } from 'node:crypto'
import { afterEach, expect, it } from 'vitest'
import { startReceiver } from '@/db/testing/receivers'
import { startPostgres, startReplica } from '@/db/testing/servers'
import { needsPostgres, needsRedis, sharedRedis } from '@/db/testing/shared'
import { system } from '@/server/audit'
import { noteBackup } from '@/server/backup/state'
import type { Hardening } from '@/server/system/hardening'
import { openConsole } from './testing/console'
import { openPeople } from './testing/people'

needsPostgres()
needsRedis()

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
const later = (step: () => unknown) => undo.push(step)

type Console = Awaited<ReturnType<typeof openConsole>>

/** The lines that are done for whoever asks. */
async function doneOf({ rest }: Console, token: string | null): Promise<string[]> {
  const { body } = await rest('GET', '/api/infrastructure/system/hardening', token)
  const { done, lines } = body as Hardening
  const ids = lines.filter((line) => line.done).map(({ id }) => id)
  expect(ids).toHaveLength(done)
  return ids
}

it('on SQLite alone is hardened what the caller has enrolled, backed up, and been sent', async () => {
  const receiver = await startReceiver()
  later(() => receiver.close())
  const console = await openConsole(later, { BACKUP_MAX_AGE: '26h', OUTBOUND_ALLOW: '127.0.0.1/32' })
  const { tokens, code } = await openPeople(console)
  expect(await doneOf(console, tokens.viewer)).toEqual([])
  expect(await doneOf(console, tokens.admin)).toEqual(['factor'])
  // A key is asked for its owner's factors.
  expect(await doneOf(console, tokens['API key for system:read'])).toEqual(['factor'])

  const { store, clock } = console.runtime
  const last = { at: clock.now(), bytes: 7, path: '/b' }
  await store.run(noteBackup, { last, by: system, now: last.at, key: 'sealed' })

  const input = { kind: 'webhook', name: 'Pager', leastSeverity: 'high', enabled: true, url: receiver.url }
  const proof = { action: 'security.alerts.addChannel', input, code: code() }
  const granted = await console.rest('POST', '/api/auth/step-up', tokens.admin, proof)
  const admin = granted.body.tokens.accessToken as string
  const grant = { 'holdfast-step-up': granted.body.grantId, 'idempotency-key': randomUUID() }
  const { body: channel } = await console.call('security.alerts.addChannel', 'mutation', admin, input, grant)
  expect(await doneOf(console, admin)).toEqual(['factor', 'backups'])
  await console.call('security.alerts.testChannel', 'mutation', admin, { id: channel.id })
  expect(await doneOf(console, admin)).toEqual(['factor', 'backups', 'alerts'])
  // A receiver that is gone: the next test says so.
  await receiver.close()
  await console.call('security.alerts.testChannel', 'mutation', admin, { id: channel.id })
  expect(await doneOf(console, admin)).toEqual(['factor', 'backups'])
})

it('on PostgreSQL with a replica, on Redis and behind TLS those lines are done, while they answer', async () => {
  const primary = await startPostgres()
  later(() => primary.stop())
  const replica = await startReplica(primary)
  later(() => replica.stop())
  const { database } = await primary.createDatabase('holdfast')
  const redis = new URL(sharedRedis().url)
  const console = await openConsole(later, {
    ...{ DB_TYPE: 'postgresql', DB_HOST: primary.host, DB_PORT: String(primary.port), DB_NAME: database },
    ...{ DB_USER: primary.user, DB_PASSWORD: primary.password },
    ...{ DB_READ_HOST: replica.host, DB_READ_PORT: String(replica.port) },
    ...{ REDIS_HOST: redis.hostname, REDIS_PORT: redis.port, REDIS_PASSWORD: redis.password },
    ...{ CACHE_PREFIX: `${randomUUID()}:`, HOLDFAST_URL: 'https://console.example.org' },
  })
  const { tokens } = await openPeople(console)
  await expect
    .poll(() => doneOf(console, tokens.viewer), { timeout: 15_000 })
    .toEqual(['postgresql', 'replica', 'redis', 'tls'])
  await replica.stop()
  await expect
    .poll(() => doneOf(console, tokens.viewer), { timeout: 15_000 })
    .toEqual(['postgresql', 'redis', 'tls'])
})
