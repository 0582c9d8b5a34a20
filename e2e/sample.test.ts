import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
  startReplica,
} from '@/db/testing/servers'
import { needsPostgres, needsRedis } from '@/db/testing/shared'
import { credentials } from './admin'
import { openRunGuide } from './guide'
import { authenticatorApp, bearer, program } from './program'
import { freePort } from './server'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 })

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const undo: (() => unknown)[] = []
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

describe('an application on the packed layers', () => {
  needsPostgres()
  needsRedis()
  let folder: string
  let primary: PostgresServer
  let redis: RedisServer
  let env: Record<string, string>
  let url: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-sample-'))
    undo.push(() => rmSync(folder, { recursive: true, force: true }))
    await install(folder)
    primary = await startPostgres()
    undo.push(() => primary.stop())
    const { host, port: at, user, password, database } = primary
    const admin = new Client({ host, port: at, user, password, database })
    await admin.connect()
    await admin.query('CREATE DATABASE notes')
    await admin.query('CREATE DATABASE accounts')
    await admin.end()
    const replica = await startReplica(primary)
    undo.push(() => replica.stop())
    redis = await startRedis()
    undo.push(() => redis.stop())
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    env = {
      ...{ PATH: process.env.PATH ?? '', PORT: String(port) },
      ...{ DB_HOST: primary.host, DB_PORT: String(primary.port) },
      ...{ DB_USER: primary.user, DB_PASSWORD: primary.password },
      ...{ DB_READ_HOST: replica.host, DB_READ_PORT: String(replica.port) },
      ...{ REDIS_HOST: redis.host, REDIS_PORT: String(redis.port) },
    }
  })

  it('signs up and in with a second factor, and keeps notes', async () => {
    cpSync(join(root, 'docs/sample/notes.mjs'), join(folder, 'notes.mjs'))
    writeFileSync(join(folder, 'master.key'), randomBytes(32).toString('base64'))
    const child = spawn(process.execPath, ['notes.mjs'], { cwd: folder, env: env as never })
    undo.push(() => child.kill('SIGKILL'))
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (printed += data))
    await vi.waitUntil(() => printed.includes('notes are ready') || child.exitCode !== null, 60_000)
    expect(printed).toContain('notes are ready')

    const { post, get } = program({ url })
    const { body: made } = await post('/sign-up', { ...credentials, name: 'Ana' })
    expect(made).toEqual({ userId: expect.any(String) })
    expect(await post('/sign-up', { ...credentials, name: 'Ana' })).toMatchObject({ status: 409 })
    const first = (await post('/sign-in', credentials)).body
    const begun = (await post('/totp', {}, bearer(first.accessToken))).body
    const app = authenticatorApp(begun.secret, 2)
    const code = app.next()
    const activated = await post(
      '/totp/activate',
      { factorId: begun.factorId, code },
      bearer(first.accessToken),
    )
    expect(activated.body.backupCodes).toHaveLength(10)

    const { challenge } = (await post('/sign-in', credentials)).body
    // A code that was used is worth nothing.
    expect(await post('/verify', { challenge, code })).toMatchObject({ status: 401 })
    const tokens = (await post('/verify', { challenge, code: app.next() })).body
    const { body: note, headers } = await post('/notes', { text: 'hello' }, bearer(tokens.accessToken))
    const cookie = headers.get('set-cookie')?.split(';')[0] ?? ''
    const asked = { ...bearer(tokens.accessToken), cookie }
    expect((await get('/notes', asked)).body).toEqual([{ id: note.id, text: 'hello' }])
    expect((await get('/notes', asked)).body).toEqual([{ id: note.id, text: 'hello' }])
    await post('/notes', { text: 'and again' }, asked)
    const after = await post('/notes', { text: 'third' }, asked)
    const later = { ...asked, cookie: after.headers.get('set-cookie')?.split(';')[0] ?? '' }
    expect((await get('/notes', later)).body).toHaveLength(3)

    const next = (await post('/refresh', { refreshToken: tokens.refreshToken })).body
    expect((await get('/notes', bearer(next.accessToken))).status).toBe(200)
    await post('/refresh', { refreshToken: next.refreshToken })
    // A token that was used before its successor ends the session.
    expect(await post('/refresh', { refreshToken: tokens.refreshToken })).toMatchObject({ status: 401 })
    expect(await get('/notes', bearer(next.accessToken))).toMatchObject({ status: 401 })

    child.kill('SIGTERM')
    const [status] = await once(child, 'exit')
    expect({ status, printed }).toMatchObject({ status: 0 })
  })

  const guide = openRunGuide('integration')

  it.each(['own-database', 'own-security', 'own-cache'])(
    'runs %s of the guide, which prints what it says',
    async (name) => {
      const file = join(folder, `${name}.mjs`)
      writeFileSync(file, guide.snippet(name))
      const { stdout } = await run(process.execPath, [file], { cwd: folder, env: env as never })
      expect(stdout).toBe(guide.printed(name))
    },
  )

  it('gives types to TypeScript', async () => {
    writeFileSync(
      join(folder, 'typed.ts'),
      `import { createCache } from 'holdfast/cache'
       import { openSqliteDatabase } from 'holdfast/database'
       import { type Accounts, openAccounts } from 'holdfast/security'
       const log = { debug() {}, info() {}, warn() {}, error() {} }
       const database = openSqliteDatabase({ log }, { file: 'typed.db' })
       export const accounts: Promise<Accounts> = openAccounts({ database, key: Buffer.alloc(32), log }, { url: 'http://x' })
       // @ts-expect-error a prefix is a text
       createCache({ prefix: 7 })
       // @ts-expect-error there is no such method
       void accounts.then((opened) => opened.nothing())`,
    )
    const options = ['--strict', '--noEmit', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022']
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
    await run(process.execPath, [tsc, ...options, ...types, 'typed.ts'], { cwd: folder })
  })

  /** Puts the packed package where npm would, with the dependencies that are installed here already. */
  async function install(into: string): Promise<void> {
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', into], {
      cwd: root,
      maxBuffer: 64 * 1024 ** 2,
    })
    const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')))
    const modules = join(into, 'node_modules', 'holdfast')
    mkdirSync(modules, { recursive: true })
    await run('tar', ['-xzf', join(into, filename), '-C', modules, '--strip-components', '1'])
    symlinkSync(join(root, 'node_modules'), join(modules, 'node_modules'))
    writeFileSync(join(into, 'package.json'), '{ "type": "module" }')
  }
})
