import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'
import { eq } from 'drizzle-orm'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDatabase, needsPostgres } from '@/db/testing/shared'
import { system } from '@/server/audit'
import { systemClock } from '@/server/clock'
import { parseVariables } from '@/server/env'
import { openLog } from '@/server/log'
import { type OpenedStore, openStore } from '@/server/open-store'
import { openSecurity } from '@/server/security'
import { totpCode } from '@/server/security/testing/totp'

const command = fileURLToPath(new URL('../../dist/cli/admin.mjs', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const password = 'a horse, a battery and a staple'
const user = { email: 'ana@example.org', name: 'Ana', password }

// Each test starts processes, which take seconds on a machine that does other things, too.
describe('npm run admin', { timeout: 120_000 }, () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-admin-'))
  })
  const closing: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function admin(args: string[], input = password, env: Record<string, string> = {}) {
    const { PATH = '' } = process.env
    const child = spawn(process.execPath, [command, ...args], {
      cwd: root,
      env: { PATH, HOLDFAST_DATA_DIR: folder, ...env } as unknown as NodeJS.ProcessEnv,
    })
    // It may end before it reads.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    const [out, err, status] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on('exit', resolve)),
    ])
    expect(out + err).not.toContain(password)
    return { out, err, status }
  }

  /** A console that holds the same store open, and serves sign-ins on it. */
  async function console_() {
    const log = openLog('error')
    const opened = await openStore(parseVariables({ HOLDFAST_DATA_DIR: folder }), log, { serving: true })
    closing.push(async () => {
      await opened.database.close()
      opened.lock?.release()
    })
    const { store, vault } = opened
    const config = { accessMs: 900_000, refreshMs: 604_800_000, url: 'http://localhost:3000' }
    const security = openSecurity({ store, vault, clock: systemClock, log }, config)
    const by = { ...system, actor: 'anonymous', address: '127.0.0.1', userAgent: 'test/1' }
    return { opened, security, client: { by } }
  }

  async function eventsOf({ store }: OpenedStore, event: string) {
    const { auditEvents } = store.tables
    return store.db.select().from(auditEvents).where(eq(auditEvents.event, event))
  }

  const create = ['create', '--email', 'Ana@example.org', '--name', 'Ana']

  it('makes an admin in a new SQLite store, once', async () => {
    expect(await admin(create)).toMatchObject({ status: 0, err: '' })
    const store = new BetterSqlite3(join(folder, 'holdfast.db'), { readonly: true })
    const users = store.prepare('select email, name, role, state, password_hash from users').all()
    const events = store.prepare('select event, actor, after from audit_events').all()
    store.close()
    expect(users).toMatchObject([{ email: 'ana@example.org', name: 'Ana', role: 'admin', state: 'active' }])
    expect(events).toMatchObject([{ event: 'user_created', actor: 'command line' }])
    const again = await admin(create)
    expect(again).toMatchObject({ status: 1, out: '' })
    expect(again.err).toBe('A user with the address ana@example.org exists already.\n')
  })

  it('works on a SQLite store that a running console holds open', async () => {
    await admin(create)
    const console_ = new BetterSqlite3(join(folder, 'holdfast.db'))
    console_.pragma('journal_mode = WAL')
    const before = console_.prepare('select count(*) as n from users').get()
    const bob = ['create', '--email', 'bob@example.org', '--role', 'viewer']
    expect(await admin(bob, `${password}\nsecond line`)).toMatchObject({ status: 0 })
    const after = console_.prepare('select count(*) as n from users').get()
    console_.close()
    expect([before, after]).toEqual([{ n: 1 }, { n: 2 }])
  })

  it.each([
    [['create'], '--email takes an e-mail address'],
    [['create', '--email', 'nobody'], '--email takes an e-mail address'],
    [['create', '--email', 'a@example.org', '--role', 'root'], '--role takes admin, operator or viewer'],
    [['delete', '--email', 'a@example.org'], 'The commands are: create, reset-password, reset-factor'],
    [['reset-factor'], '--email takes an e-mail address'],
    [['reset-factor', '--email', 'a@example.org', '--role', 'admin'], 'reset-factor takes --email alone'],
    [['reset-password', '--email', 'a@example.org', '--name', 'A'], 'reset-password takes --email alone'],
    [['create', '--mail', 'a@example.org'], "Unknown option '--mail'"],
  ])('refuses %j with status 2', async (args, message) => {
    const result = await admin(args)
    expect(result.status).toBe(2)
    expect(result.err).toContain(message)
  })

  it('refuses a password that is too short, missing, or easy to guess', async () => {
    for (const weak of ['fourteen chars', '', 'Password1234567!', 'ana@example.org']) {
      const { status, err, out } = await admin(create, weak)
      expect([weak, status, out]).toEqual([weak, 1, ''])
      expect(err).toContain('The password does not do: ')
    }
  })

  it('takes a second factor away while a console holds the store, and ends the sessions', async () => {
    const { opened, security, client } = await console_()
    await security.machine.createUser({ ...user, role: 'admin' }, system)
    const signIn = () => security.signIn(user, client)
    const first = await signIn()
    if (first.state !== 'signed-in') throw new Error('a factor was asked for')
    const { session, accessToken } = first.signedIn
    const by = { ...client.by, actorId: session.userId, sessionId: session.sessionId }
    const { factorId, secret } = await security.factors.beginTotp(session, {}, { by, grantId: null })
    await security.factors.activateTotp(session, { factorId, code: totpCode(secret, Date.now()) }, by)
    expect((await signIn()).state).toBe('factor')

    const { status, out, err } = await admin(['reset-factor', '--email', 'ANA@example.org'])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toContain('has no second factor now')
    const bearer = new Headers({ authorization: `Bearer ${accessToken}` })
    expect(await security.authenticate(bearer, '127.0.0.1')).toBeNull()
    expect((await signIn()).state).toBe('signed-in')
    expect(await eventsOf(opened, 'authn_factor_reset')).toMatchObject([
      { actor: 'command line', actorId: null, outcome: 'success', target: session.userId },
    ])
  })

  it('prints a link that gives a new password while a console holds the store', async () => {
    const { opened, security, client } = await console_()
    await security.machine.createUser({ ...user, role: 'admin' }, system)
    const { status, out, err } = await admin(['reset-password', '--email', user.email])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    const token = /^http:\/\/localhost:3000\/link#([\w-]{43})$/m.exec(out)?.[1] ?? ''
    await expect(security.signIn(user, client)).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' })
    const next = 'seven grey boats in the fog'
    expect(await security.useLink({ token, password: next }, client)).toMatchObject({ state: 'signed-in' })
    const events = await eventsOf(opened, 'authn_password_reset')
    expect(events).toMatchObject([{ actor: 'command line', outcome: 'success' }])
    expect(JSON.stringify(events)).not.toContain(token)
  })

  it.each(['reset-factor', 'reset-password'])('says that %s knows no such user', async (command) => {
    const { status, out, err } = await admin([command, '--email', 'nobody@example.org'])
    expect([status, out, err]).toEqual([1, '', 'There is no user with the address nobody@example.org.\n'])
  })

  it('explains itself', async () => {
    const { out, status } = await admin(['--help'])
    expect(status).toBe(0)
    expect(out).toContain('npm run admin -- create --email')
  })

  describe('on PostgreSQL', () => {
    needsPostgres()

    it('makes an admin, and resets factor and password', async () => {
      const { url, drop } = await createDatabase()
      const { hostname, port, username, pathname, password: word } = new URL(url)
      const env = {
        ...{ DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: pathname.slice(1) },
        ...{ DB_USER: username, DB_PASSWORD: word },
      }
      try {
        expect(await admin(create, password, env)).toMatchObject({ status: 0, err: '' })
        expect(await admin(['reset-factor', '--email', user.email], '', env)).toMatchObject({ status: 0 })
        const { status, out } = await admin(['reset-password', '--email', user.email], '', env)
        expect([status, out]).toEqual([0, expect.stringContaining('/link#')])
        const client = new Client({ connectionString: url })
        await client.connect()
        const { rows } = await client.query('select email, role, password_hash from users')
        const events = await client.query('select event from audit_events order by seq')
        await client.end()
        expect(rows).toEqual([{ email: 'ana@example.org', role: 'admin', password_hash: null }])
        expect(events.rows.map(({ event }) => event)).toEqual([
          ...['user_created', 'authn_factor_reset', 'authn_password_reset'],
        ])
      } finally {
        await drop()
      }
    })
  })
})
