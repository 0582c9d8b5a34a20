import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asc } from 'drizzle-orm'
import { Client } from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { createDatabase, needsPostgres, sharedPostgres } from '@/db/testing/shared'
import packageJson from '@/package.json'
import { system, verifyRows } from './audit'
import { systemClock } from './clock'
import { beginChange, endChange } from './database/changes/units'
import { writeHours } from './database/history/units'
import { parseVariables } from './env'
import { inputHash, makeGrant } from './grants'
import { openLog } from './log'
import { type OpenedStore, openStore } from './open-store'
import { openSecurity } from './security'
import { totpCode } from './security/testing/totp'
import type { MetricValues } from './system'
import { metricNames } from './system/metrics'
import { Accumulator } from './system/rollups'
import { writeRollups } from './system/rollups-units'

/*
 * Every release leaves a filled store in db/fixtures. To add this release's:
 * MAKE_FIXTURE=1 npx vitest run server/upgrade.test.ts (needs pg_dump)
 */
const fixtures = join(import.meta.dirname, '..', 'db', 'fixtures')
const releases = readdirSync(fixtures).filter((name) => /^\d+\.\d+\.\d+$/.test(name))
const masterKey = Buffer.alloc(32, 'fixture').toString('base64')
const admin = { email: 'ada@example.org', name: 'Ada', password: 'correct horse battery staple' }
const log = openLog('error')
const nothing = Object.fromEntries(metricNames.map((name) => [name, null])) as MetricValues

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-upgrade-'))
  undo.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function openIn(folder: string, database?: string): Promise<OpenedStore> {
  const { host, port, user, password } = database
    ? sharedPostgres()
    : { host: '', port: '', user: '', password: '' }
  const opened = await openStore(
    parseVariables({
      HOLDFAST_DATA_DIR: folder,
      HOLDFAST_MASTER_KEY: masterKey,
      ...(database && {
        DB_TYPE: 'postgresql',
        DB_HOST: host,
        DB_PORT: String(port),
        DB_NAME: database,
        DB_USER: user,
        DB_PASSWORD: password,
      }),
    }),
    log,
    { serving: true },
  )
  undo.push(async () => {
    await opened.database.close()
    opened.lock?.release()
  })
  return opened
}

function accountsOf({ store, vault }: OpenedStore) {
  const config = { accessMs: 900_000, refreshMs: 604_800_000, url: 'http://localhost:3000' }
  return openSecurity({ store, vault, clock: systemClock, log }, config)
}

/** What an upgraded store must still do: sign its admin in, and hold an unbroken audit log. */
async function expectWhole(opened: OpenedStore): Promise<void> {
  const accounts = accountsOf(opened)
  const result = await accounts.signIn(admin, { by: { ...system, actor: 'test' } })
  expect(result).toMatchObject({
    state: 'signed-in',
    signedIn: { session: { email: admin.email, role: 'admin', needs: ['factor'] } },
  })
  expect((await accounts.users.list()).map(({ email }) => email)).toContain(admin.email)
  expect((await accounts.jwks()).keys).not.toEqual([])
  const { auditEvents, metricRollups, statementRollups, indexChanges } = opened.store.tables
  for (const table of [metricRollups, statementRollups, indexChanges]) {
    expect(await opened.store.db.select().from(table)).toBeInstanceOf(Array)
  }
  const rows = await opened.store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
  expect(rows.length).toBeGreaterThanOrEqual(6)
  expect(
    verifyRows(rows, { key: (id) => (id === opened.vault.keyId ? opened.vault.key('audit') : undefined) }),
  ).toEqual([])
}

it('has a fixture of every release, this one included', () => {
  expect(releases).toContain(packageJson.version)
})

describe.each(releases)('a store of release %s', (release) => {
  it('is upgraded on SQLite', async () => {
    const folder = temporary()
    copyFileSync(join(fixtures, release, 'store.db'), join(folder, 'holdfast.db'))
    chmodSync(join(folder, 'holdfast.db'), 0o600)
    await expectWhole(await openIn(folder))
  })

  describe('on PostgreSQL', () => {
    needsPostgres()

    it('is upgraded', async () => {
      const { database, url, drop } = await createDatabase()
      undo.push(drop)
      const client = new Client({ connectionString: url })
      await client.connect()
      await client.query(readFileSync(join(fixtures, release, 'store.pg.sql'), 'utf8'))
      await client.end()
      await expectWhole(await openIn(temporary(), database))
    })
  })
})

if (process.env.MAKE_FIXTURE) {
  describe('this release', () => {
    const folder = join(fixtures, packageJson.version)

    async function fill(opened: OpenedStore): Promise<void> {
      const accounts = accountsOf(opened)
      const { machine, factors, users, apiKeys } = accounts
      const by = { ...system, actor: 'command line' }
      const grace = { email: 'grace@example.org', name: 'Grace', password: admin.password }
      await machine.createUser({ ...admin, role: 'admin' }, by)
      await machine.createUser({ ...grace, role: 'admin' }, by)
      const client = {
        by: {
          ...system,
          actor: 'anonymous',
          address: '192.0.2.7',
          userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
        },
      }
      const signIn = async (credentials: typeof admin) => {
        const result = await accounts.signIn(credentials, client)
        if (result.state !== 'signed-in') throw new Error('a factor was asked for')
        return result.signedIn
      }
      const { refreshToken = '' } = await signIn(admin)
      await accounts.sessions.refresh(refreshToken, client)
      await accounts.signIn({ ...grace, password: 'wrong' }, client).catch(() => {})

      const { session } = await signIn(grace)
      const caller = {
        ...client.by,
        actorId: session.userId,
        actor: grace.email,
        sessionId: session.sessionId,
      }
      const { factorId, secret } = await factors.beginTotp(session, {}, { by: caller, grantId: null })
      let at = Date.now()
      const code = () => totpCode(secret, at)
      await factors.activateTotp(session, { factorId, code: code() }, caller)
      const stepUp = async (action: string, input: unknown) => {
        // The next code is right already: clocks may differ by a step or two.
        at += 30_000
        const request = { action, input, proof: { code: code() } }
        const { grant } = await accounts.stepUp(session, request, caller)
        return { by: caller, grantId: grant.grantId }
      }
      const invitation = { email: 'ines@example.org', name: 'Ines', role: 'viewer' as const }
      await users.invite(invitation, await stepUp('security.inviteUser', invitation))
      const key = { name: 'backups', permissions: ['database:read' as const], days: 30 }
      await apiKeys.create(session, key, await stepUp('security.createApiKey', key))
      await accounts.jwks()
      await fillHistory(opened)
    }

    /** Measurements and hours, and an index on the store's own tables, as somebody may make it by advice. */
    async function fillHistory({ store, database }: OpenedStore): Promise<void> {
      const at = Date.UTC(2026, 0, 5, 12)
      const minute = new Accumulator(at, metricNames)
      minute.add({ at: at + 1_000, values: { ...nothing, holdfast_host_load1: 0.5 } })
      await store.run(writeRollups, { minutes: [minute.rollup('fixture', 60_000)] })
      const hour = { fingerprint: '0a1b2c3d4e5f6071', at, calls: 7, total: 42_000, longest: 9_000, rows: 7 }
      await store.run(writeHours, { rows: [hour], writer: 'fixture' })
      const input = { key: '0123456789abcdef' }
      const by = { ...system, actor: 'grace@example.org', sessionId: 'fixture' }
      const grant = { sessionId: 'fixture', method: 'otp' as const, by, now: at }
      const action = 'database.applyIndex'
      const { grantId } = await store.run(makeGrant, { ...grant, action, inputHash: inputHash(input) })
      const ddl = 'CREATE INDEX sessions_address_0a1b2c ON sessions (address)'
      const id = '5f3c2b1a-0d4e-4f5a-8b6c-7d8e9f0a1b2c'
      const { dialect } = database
      await store.run(beginChange, {
        ...{ id, by, grantId, dialect, before: null, advisedAt: at, now: at },
        lease: { leaseOwner: 'fixture', leaseUntil: at },
        plan: {
          ...{ ...input, kind: 'create', table: 'sessions', index: 'sessions_address_0a1b2c', ddl },
          ...{ undo: 'DROP INDEX sessions_address_0a1b2c', expected: null, fingerprints: [] },
        },
      })
      if (database.dialect === 'sqlite') await database.query(ddl)
      else await database.client.query(ddl as never)
      await store.run(endChange, { id, was: 'running', error: null, now: at })
    }

    it('leaves a filled SQLite file and a PostgreSQL dump', async () => {
      mkdirSync(folder, { recursive: true })
      const data = temporary()
      const sqlite = await openIn(data)
      await fill(sqlite)
      if (sqlite.database.dialect === 'sqlite') sqlite.database.client.pragma('wal_checkpoint(TRUNCATE)')
      copyFileSync(join(data, 'holdfast.db'), join(folder, 'store.db'))

      const { database, url, drop } = await createDatabase()
      undo.push(drop)
      await fill(await openIn(temporary(), database))
      const dump = execFileSync('pg_dump', ['--inserts', '--no-owner', '--no-privileges', url], {
        encoding: 'utf8',
      })
      // Meta-commands are psql's, and an empty search_path would outlive the script in its session.
      writeFileSync(
        join(folder, 'store.pg.sql'),
        dump.replace(/^\\.*$/gm, '').replace(/^SELECT pg_catalog.set_config\('search_path'.*$/m, ''),
      )
      expect(existsSync(join(folder, 'store.pg.sql'))).toBe(true)
    })
  })
}
