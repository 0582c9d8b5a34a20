import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDatabase, needsPostgres } from '@/db/testing/shared'

const command = fileURLToPath(new URL('../../dist/cli/admin.mjs', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const password = 'a horse, a battery and a staple'

describe('npm run admin', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-admin-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

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
    [['delete', '--email', 'a@example.org'], 'The one command is: create'],
    [['create', '--mail', 'a@example.org'], "Unknown option '--mail'"],
  ])('refuses %j with status 2', async (args, message) => {
    const result = await admin(args)
    expect(result.status).toBe(2)
    expect(result.err).toContain(message)
  })

  it('refuses a password that is too short, and one that is missing', async () => {
    expect(await admin(create, 'fourteen chars')).toMatchObject({ status: 1 })
    expect(await admin(create, '')).toMatchObject({ status: 1 })
  })

  it('explains itself', async () => {
    const { out, status } = await admin(['--help'])
    expect(status).toBe(0)
    expect(out).toContain('npm run admin -- create --email')
  })

  describe('on PostgreSQL', () => {
    needsPostgres()

    it('makes an admin', async () => {
      const { url, drop } = await createDatabase()
      const { hostname, port, username, pathname, password: word } = new URL(url)
      const env = {
        ...{ DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: pathname.slice(1) },
        ...{ DB_USER: username, DB_PASSWORD: word },
      }
      try {
        expect(await admin(create, password, env)).toMatchObject({ status: 0, err: '' })
        const client = new Client({ connectionString: url })
        await client.connect()
        const { rows } = await client.query('select email, role from users')
        await client.end()
        expect(rows).toEqual([{ email: 'ana@example.org', role: 'admin' }])
      } finally {
        await drop()
      }
    })
  })
})
