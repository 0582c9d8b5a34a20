import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDatabase, needsPostgres } from '@/db/testing/shared'
import { findTool } from '@/server/backup/pg-tools'
import { parse } from './backup/arguments'

const root = fileURLToPath(new URL('../..', import.meta.url))
const password = 'a horse, a battery and a staple'
const passphrase = 'seven grey boats in the fog'

let folder: string
let backups: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-backup-'))
  backups = join(folder, 'kept')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function start(name: 'admin' | 'backup', args: string[], env: Record<string, string>) {
  const { PATH = '' } = process.env
  const given = { PATH, HOLDFAST_ENV_FILE: '/dev/null', HOLDFAST_DATA_DIR: join(folder, 'data'), ...env }
  return spawn(process.execPath, [join(root, 'dist/cli', `${name}.mjs`), ...args], {
    cwd: root,
    env: given as unknown as NodeJS.ProcessEnv,
  })
}

async function run(name: 'admin' | 'backup', args: string[], env: Record<string, string> = {}, input = '') {
  const child = start(name, args, { BACKUP_DIR: backups, ...env })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const exited = once(child, 'close')
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { out, err, status: (await exited)[0] as number | null }
}

const backup = (args: string[], env?: Record<string, string>) => run('backup', args, env)
const makeStore = (env?: Record<string, string>) =>
  run('admin', ['create', '--email', 'ana@example.org'], env, password)

async function made(env?: Record<string, string>, args: string[] = []): Promise<string> {
  const { out, err, status } = await backup(['create', ...args], env)
  expect({ err, status }).toEqual({ err: '', status: 0 })
  return out.split('\n')[0] ?? ''
}

// Each test starts processes, which take seconds on a machine that does other things, too.
describe('npm run backup', { timeout: 120_000 }, () => {
  it('keeps the newest, notes each in the audit log, and says how the key is in them', async () => {
    await makeStore()
    const plain = await backup(['create'])
    expect(plain.out).toContain('Warning: the master key stands in it in plain')
    const sealed = await backup(['create'], { BACKUP_PASSPHRASE: passphrase })
    expect(sealed.out).toContain('sealed with BACKUP_PASSPHRASE')
    const without = await backup(['create', '--without-key', '--keep', '2'])
    expect(without.out).toContain('The master key is not in it')
    const [first = '', second = '', third = ''] = [plain, sealed, without].map(
      ({ out }) => out.split('\n')[0],
    )
    expect(without.out).toContain(`Removed: ${first}`)
    // Those of one second sort by what is random in their names.
    const kept = [second, third].map((path) => path.slice(backups.length + 1))
    expect(readdirSync(backups).sort()).toEqual(kept.sort())
    const key = readFileSync(join(folder, 'data', 'master.key'), 'utf8').trim()
    for (const path of [second, third]) {
      for (const name of readdirSync(path)) {
        expect(statSync(join(path, name)).mode & 0o077).toBe(0)
        if (name !== 'audit') expect(readFileSync(join(path, name)).includes(key)).toBe(false)
      }
    }
    const list = await backup(['list'])
    expect(
      list.out
        .trim()
        .split('\n')
        .map((line) => line.split(/ {2,}/)[4]),
    ).toEqual(['KEY', 'none', 'sealed'])
    const store = new BetterSqlite3(join(folder, 'data', 'holdfast.db'), { readonly: true })
    const events = store
      .prepare("select actor, after from audit_events where event = 'sys_backup_made'")
      .all()
    const last = store.prepare("select value from meta where key = 'backup-last'").pluck().get()
    store.close()
    expect(events).toHaveLength(3)
    expect(events[0]).toMatchObject({ actor: 'command line' })
    expect(JSON.parse(String(last))).toMatchObject({ path: third })
  })

  it('finds what is damaged, missing, changed or made up', async () => {
    await makeStore()
    const verify = async (path: string) => {
      const { status, out, err } = await backup(['verify', path])
      return [status, /^FAILED {2}(.*)$/m.exec(out)?.[1] ?? err.split('\n')[0]]
    }
    const path = await made()
    const manifest = join(path, 'manifest.json')
    const good = readFileSync(manifest, 'utf8')
    expect(await verify(path)).toEqual([0, ''])
    writeFileSync(manifest, good.replace('"seq": 1', '"seq": 2'))
    expect(await verify(path)).toEqual([1, expect.stringMatching(/^The manifest is not signed by/)])
    writeFileSync(manifest, good.slice(0, -20))
    expect(await verify(path)).toEqual([1, expect.stringMatching(/manifest\.json is damaged/)])
    writeFileSync(manifest, good)
    appendFileSync(join(path, 'master.key'), '\n')
    expect(await verify(path)).toEqual([1, 'master.key is damaged: it has 46 bytes of 45.'])
    truncateSync(join(path, 'master.key'), 45)
    rmSync(join(path, 'audit', 'checkpoints.ndjson'))
    expect(await verify(path)).toEqual([1, 'audit/checkpoints.ndjson is missing.'])
    expect(await verify(folder)).toEqual([1, `${folder} is no backup: it has no manifest.json.`])
  })

  it('names a log that was tampered with, and restores it all the same, with exit status 1', async () => {
    await makeStore()
    const store = new BetterSqlite3(join(folder, 'data', 'holdfast.db'))
    for (const { name } of store
      .prepare("select name from sqlite_master where type = 'trigger' and tbl_name = 'audit_events'")
      .all() as { name: string }[])
      store.exec(`drop trigger "${name}"`)
    store.exec("update audit_events set actor = 'somebody else' where seq = 1")
    store.close()
    // What it notes makes the console's own watch look, which tells of it on standard error.
    const path = (await backup(['create'])).out.split('\n')[0] ?? ''
    const verified = await backup(['verify', path])
    expect([verified.status, verified.out]).toEqual([
      1,
      expect.stringContaining('The audit log does not verify'),
    ])
    const restored = await backup(['restore', path], { HOLDFAST_DATA_DIR: join(folder, 'new') })
    expect([restored.status, restored.out]).toEqual([1, expect.stringContaining('does not verify')])
  })

  it('leaves nothing that looks like a backup when it is killed, whenever that is', async () => {
    await makeStore()
    const store = new BetterSqlite3(join(folder, 'data', 'holdfast.db'))
    store.exec('create table ballast (bytes blob)')
    const insert = store.prepare('insert into ballast values (randomblob(1000000))')
    for (let n = 0; n < 60; n++) insert.run()
    store.close()
    let killed = 0
    // Killed when each of its files begins to be there: before the copy, in it, and after it.
    for (const name of ['audit', 'store.db', 'master.key']) {
      const child = start('backup', ['create'], { BACKUP_DIR: backups })
      const exited = once(child, 'exit')
      const parts = () =>
        existsSync(backups) ? readdirSync(backups).filter((each) => each.endsWith('.part')) : []
      while (child.exitCode === null && !parts().some((part) => existsSync(join(backups, part, name))))
        await new Promise((resolve) => setImmediate(resolve))
      child.kill('SIGKILL')
      if ((await exited)[1] === 'SIGKILL') killed++
      for (const part of parts()) {
        const verified = await backup(['verify', join(backups, part)])
        expect([verified.status, verified.err]).toEqual([1, expect.stringContaining('is no backup')])
        rmSync(join(backups, part), { recursive: true })
      }
    }
    expect(killed).toBe(3)
    expect((await backup(['list'])).out).toBe('There is no backup.\n')
  })

  it('writes no key of the environment out in plain, and needs the same one to restore', async () => {
    const HOLDFAST_MASTER_KEY = Buffer.alloc(32, 5).toString('base64')
    await makeStore({ HOLDFAST_MASTER_KEY })
    const path = await made({ HOLDFAST_MASTER_KEY })
    expect(readdirSync(path).sort()).toEqual(['audit', 'manifest.json', 'store.db'])
    const HOLDFAST_DATA_DIR = join(folder, 'new')
    const without = await backup(['restore', path], { HOLDFAST_DATA_DIR })
    expect([without.status, without.err]).toEqual([1, expect.stringContaining('is not in the backup')])
    const other = { HOLDFAST_DATA_DIR, HOLDFAST_MASTER_KEY: Buffer.alloc(32, 6).toString('base64') }
    expect((await backup(['restore', path], other)).err).toContain('HOLDFAST_MASTER_KEY is the key')
    const restored = await backup(['restore', path], { HOLDFAST_DATA_DIR, HOLDFAST_MASTER_KEY })
    expect(restored).toMatchObject({ status: 0, err: '' })
    expect(existsSync(join(HOLDFAST_DATA_DIR, 'master.key'))).toBe(false)
  })

  it.each([
    [['make'], 'The commands are: create, verify, restore, list'],
    [['create', '--keep', '0'], '--keep takes a number of backups'],
    [['create', 'here'], 'create does not take "here"'],
    [['verify', '--keep', '3'], 'verify takes no --keep'],
    [['restore'], 'restore takes the folder of a backup'],
  ])('refuses %j', (args, message) => {
    expect(() => parse(args)).toThrow(message)
  })

  it('ends with status 2 on wrong arguments, and with 0 when it is asked what it does', async () => {
    expect(await backup(['make'])).toMatchObject({ status: 2, out: '' })
    expect(await backup(['--help'])).toMatchObject({ status: 0, err: '' })
  })

  it('says where there is nothing to back up', async () => {
    const { status, err } = await backup(['create'])
    expect([status, err]).toEqual([1, expect.stringContaining('There is no store of Holdfast in')])
    expect(existsSync(join(folder, 'data'))).toBe(false)
  })

  describe('on PostgreSQL', () => {
    needsPostgres()

    it('says which package brings pg_dump, where it is missing or older than the server', async () => {
      const tools = join(folder, 'bin')
      await expect(findTool('pg_dump', 17, [tools])).rejects.toThrow('pg_dump is missing')
      mkdirSync(tools)
      writeFileSync(join(tools, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 13.22"\n')
      chmodSync(join(tools, 'pg_dump'), 0o755)
      await expect(findTool('pg_dump', 17, [tools])).rejects.toMatchObject({
        message: expect.stringContaining('pg_dump is of PostgreSQL 13, older than the server, which is 17'),
        remedy: expect.stringContaining('postgresql-client-17'),
      })
      expect(await findTool('pg_dump', 13, [tools])).toMatchObject({ version: 13 })
    })

    it('is made by pg_dump, and restored into an empty database alone', async () => {
      const { url, drop } = await createDatabase()
      const { hostname, port, username, pathname, password: word } = new URL(url)
      const env = {
        ...{ DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: pathname.slice(1) },
        ...{ DB_USER: username, DB_PASSWORD: word },
      }
      try {
        await makeStore(env)
        const path = await made(env)
        const verified = await backup(['verify', path], env)
        expect(verified).toMatchObject({
          status: 0,
          out: expect.stringContaining('pg_restore reads the dump'),
        })
        const onto = await backup(['restore', path], { ...env, HOLDFAST_DATA_DIR: join(folder, 'new') })
        expect([onto.status, onto.err]).toEqual([1, expect.stringContaining('is not empty: it holds')])
        const away = await backup(['create'], { ...env, DB_PASSWORD: 'another-one' })
        expect([away.status, away.err]).toEqual([1, expect.stringContaining('npm run doctor tells')])
        expect(away.err).not.toContain('another-one')
      } finally {
        await drop()
      }
    })
  })
})
