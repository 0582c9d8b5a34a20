import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDatabase, needsPostgres } from '@/db/testing/shared'
import { recordAudit, system } from '@/server/audit'
import { asSuperuser, readLog } from '@/server/audit/testing/chaos'
import { parseVariables } from '@/server/env'
import { openLog } from '@/server/log'
import { openStore } from '@/server/open-store'

const command = fileURLToPath(new URL('../../dist/cli/audit.mjs', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

// Each test starts processes, which take seconds on a machine that does other things, too.
describe('npm run audit', { timeout: 120_000 }, () => {
  let folder: string
  const closing: (() => Promise<unknown>)[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-audit-cli-'))
  })
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function audit(args: string[], env: Record<string, string> = {}) {
    const { PATH = '' } = process.env
    const child = spawn(process.execPath, [command, ...args], {
      cwd: root,
      env: { PATH, HOLDFAST_DATA_DIR: folder, ...env } as unknown as NodeJS.ProcessEnv,
    })
    const [out, err, status] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on('exit', resolve)),
    ])
    return { out, err, status }
  }

  /** A console that holds the store open, with some events in its log. */
  async function running(env: Record<string, string> = {}, events = 20) {
    const opened = await openStore(parseVariables({ HOLDFAST_DATA_DIR: folder, ...env }), openLog('error'), {
      serving: true,
    })
    closing.push(async () => {
      await opened.database.close()
      opened.lock?.release()
    })
    for (let number = 1; number <= events; number++)
      await opened.store.run(recordAudit, {
        ...system,
        ...{ time: Date.now(), event: 'user_created', outcome: 'success', target: `user:${number}` },
      })
    return opened
  }

  const sqlite = () => ({ dialect: 'sqlite', file: join(folder, 'holdfast.db') }) as const

  it('verifies beside a running console, protects what it has written, and names what was changed', async () => {
    await running()
    const first = await audit(['verify'])
    expect(first).toMatchObject({ status: 0, err: '' })
    expect(first.out).toMatch(/^20 events, #1 to #20, in/)
    expect(first.out).toContain('Unprotected: 20 events after the last checkpoint, the oldest ')
    expect(first.out).toContain('Sound: nothing was changed, added or taken away.')
    const second = await audit(['verify'])
    expect(second.out).toContain('Checkpoints: 1 agree, of 1; the last is of #21')
    expect(second.out).toContain('Unprotected: none.')
    await asSuperuser(sqlite(), async (by) => {
      await by.run("update audit_events set actor = 'nobody' where seq = 7")
      await by.run('delete from audit_events where seq between 11 and 13')
    })
    const broken = await audit(['verify'])
    expect(broken.status).toBe(1)
    expect(broken.out).toContain('FROM  TO   FOUND     NOTE\n#7    #7   modified\n#11   #13  missing\n')
    expect(broken.out).toContain('Broken: 1 modified, 3 missing.')
    const told = (await readLog(sqlite())).filter(({ event }) => event === 'malicious_audit_tampering')
    expect(told).toMatchObject([{ severity: 'critical', reason: '#7 modified; #11–13 missing' }])
    expect((await audit(['verify'])).out).toContain(`Tampering was reported before, at #${told[0]?.seq}.`)
    expect(
      (await readLog(sqlite())).filter(({ event }) => event === 'malicious_audit_tampering'),
    ).toHaveLength(1)
  })

  it('verifies rows and checkpoints of an earlier master key', async () => {
    const [old, fresh] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)].map((key) => key.toString('base64'))
    const { database, lock } = await running({ HOLDFAST_MASTER_KEY: old as string })
    await audit(['verify'], { HOLDFAST_MASTER_KEY: old as string })
    await database.close()
    lock?.release()
    closing.length = 0
    const rotated = { HOLDFAST_MASTER_KEY: fresh as string, HOLDFAST_MASTER_KEYS_PREVIOUS: old as string }
    expect(await audit(['verify'], rotated)).toMatchObject({ status: 0 })
    expect((await audit(['public-key'], rotated)).out.match(/BEGIN PUBLIC KEY/g)).toHaveLength(2)
    const without = await audit(['verify'], { HOLDFAST_MASTER_KEY: fresh as string })
    expect(without.status).toBe(1)
    expect(without.out).toContain('unknown key')
  })

  it('takes a log of a restored backup for rolled back until somebody says what it is', async () => {
    const { database, lock } = await running({}, 5)
    const close = async () => {
      await database.close()
      lock?.release()
    }
    await close()
    closing.length = 0
    const backup = readFileSync(join(folder, 'holdfast.db'))
    await audit(['verify'])
    await audit(['verify'])
    writeFileSync(join(folder, 'holdfast.db'), backup)

    const rolledBack = await audit(['verify'])
    expect(rolledBack.status).toBe(1)
    expect(rolledBack.out).toContain('rolled back')
    expect(await audit(['restored'])).toMatchObject({
      status: 2,
      err: expect.stringContaining('restored takes --reason TEXT'),
    })
    const declared = await audit(['restored', '--reason', 'backup of Monday'])
    expect(declared).toMatchObject({ status: 0, err: '' })
    expect(declared.out).toMatch(
      /^The log goes on in epoch 2, after #5; \d+ events? of before (is|are) lost\.\n$/,
    )
    const event = (await readLog(sqlite())).find(({ event }) => event === 'sys_audit_restored')
    expect(event).toMatchObject({ actor: 'command line', reason: 'backup of Monday', epoch: 2 })
    expect(await audit(['verify'])).toMatchObject({
      status: 0,
      out: expect.stringContaining('Restored from a backup'),
    })
    expect(await audit(['restored', '--reason', 'again'])).toMatchObject({ status: 1 })
  })

  describe('with an export', () => {
    /** The files that somebody takes elsewhere: they need nothing of this machine. */
    async function taken() {
      await running()
      await audit(['verify'])
      const rows = (await readLog(sqlite())).slice(0, 23)
      const file = (name: string, content: string) => {
        writeFileSync(join(folder, name), content)
        return join(folder, name)
      }
      const lines = (some: object[]) => some.map((row) => `${JSON.stringify(row)}\n`).join('')
      const key = file('key.pem', (await audit(['public-key'])).out)
      const checkpoints = file('checkpoints.txt', (await audit(['checkpoints'])).out)
      const verify = (some: object[], ...more: string[]) =>
        audit(
          [
            ...['verify', '--export', file('events.ndjson', lines(some)), '--public-key', key],
            ...['--checkpoints', checkpoints, ...more],
          ],
          { HOLDFAST_DATA_DIR: join(folder, 'elsewhere') },
        )
      return { rows, file, verify, checkpoints }
    }

    it('verifies it with the public key alone, and says what is unsigned', async () => {
      const { rows, verify } = await taken()
      const full = await verify(rows)
      expect(full).toMatchObject({ status: 0, err: '' })
      expect(full.out).toContain('A full export: no event is left out between them.')
      expect(full.out).toContain('Proven by checkpoints: 21 events.')
      const longer = await verify([...rows, { ...rows[20], seq: 22 }])
      expect(longer.status).toBe(1)
    })

    it('tells a filtered export from a full one, and says how little it proves', async () => {
      const { rows, verify } = await taken()
      const some = rows.filter(({ seq }) => seq % 4 === 0 || seq === 21)
      const strict = await verify(some)
      expect(strict.status).toBe(1)
      expect(strict.out).toContain('missing')
      expect(strict.out).toContain('verify it again with --filtered')
      const filtered = await verify(some, '--filtered')
      expect(filtered.status).toBe(0)
      expect(filtered.out).toContain('Not a full export: 5 gaps.')
      expect(filtered.out).toContain('Proven by checkpoints: 2 events.')
      expect(filtered.out).toContain('Not proven: 4 events before a gap.')
      const changed = some.map((row) => (row.seq === 8 ? { ...row, actor: 'nobody' } : row))
      const found = await verify(changed, '--filtered')
      expect(found.status).toBe(1)
      expect(found.out).toContain('#8    #8  modified')
    })

    it('names what was changed in it, and a checkpoint that nobody signed', async () => {
      const { rows, verify, checkpoints } = await taken()
      const changed = await verify(rows.map((row) => (row.seq === 3 ? { ...row, severity: 'low' } : row)))
      expect(changed.status).toBe(1)
      expect(changed.out).toContain('#3    #3  modified')
      writeFileSync(checkpoints, readFileSync(checkpoints, 'utf8').replace('"seq":21', '"seq":20'))
      const forged = await verify(rows)
      expect(forged.status).toBe(1)
      expect(forged.out).toContain('checkpoint unreadable')
    })

    it('refuses what is no export, and wrong arguments', async () => {
      const { file, checkpoints } = await taken()
      const key = join(folder, 'key.pem')
      const csv = file('events.csv', 'seq,epoch\n1,1\n')
      const given = ['--public-key', key, '--checkpoints', checkpoints]
      expect(await audit(['verify', '--export', csv, ...given])).toMatchObject({
        status: 1,
        err: 'Line 1 is no event: the file is no NDJSON export.\n',
      })
      const hint = 'See npm run audit -- --help\n'
      for (const [args, sentence] of [
        [[], 'The commands are: verify, public-key, checkpoints, restored'],
        [['verify', '--filtered'], '--public-key, --checkpoints and --filtered belong to --export FILE'],
        [['verify', '--export', csv], '--export takes --public-key FILE as well'],
        [['verify', '--export', csv, '--public-key', key], '--export takes --checkpoints FILE as well'],
        [
          ['verify', '--export', csv, '--public-key', csv, '--checkpoints', checkpoints],
          `${csv} holds no Ed25519 public key in PEM`,
        ],
        [['public-key', '--filtered'], 'public-key takes no --filtered'],
      ] as const)
        expect(await audit([...args])).toMatchObject({ status: 2, err: `${sentence}\n${hint}` })
      expect(await audit(['--help'])).toMatchObject({ status: 0 })
    })
  })

  describe('on PostgreSQL', () => {
    needsPostgres()

    it('verifies beside a running console, and names a tail that was cut off', async () => {
      const { url, drop } = await createDatabase()
      closing.push(drop)
      const { hostname, port, username, password, pathname } = new URL(url)
      const env = {
        ...{ DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: pathname.slice(1) },
        ...{ DB_USER: username, DB_PASSWORD: decodeURIComponent(password) },
      }
      await running(env)
      expect(await audit(['verify'], env)).toMatchObject({ status: 0, err: '' })
      const client = new Client({ connectionString: url })
      await client.connect()
      await client.query('set session_replication_role = replica')
      await client.query('delete from audit_events where seq > 15')
      await client.end()
      const broken = await audit(['verify'], env)
      expect(broken.status).toBe(1)
      expect(broken.out).toContain('#16   #21  truncated')
    })
  })

  it('says that a damaged store cannot be verified', async () => {
    writeFileSync(join(folder, 'holdfast.db'), 'no database at all')
    const refused = await audit(['verify'])
    expect(refused.status).toBe(1)
    expect(refused.err).not.toBe('')
    expect(() =>
      new BetterSqlite3(join(folder, 'holdfast.db'), { readonly: true }).pragma('user_version'),
    ).toThrow()
  })
})
