import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { createDatabase, postgresMissing } from '@/db/testing/shared'
import { credentials } from './admin'
import { bearer, enrolByProgram, program, setUpByProgram } from './program'
import { startConsole } from './server'

const root = join(import.meta.dirname, '..')
const passphrase = 'seven grey boats in the fog'

/** Runs a command of Holdfast as somebody types it on the machine, with nothing else configured. */
async function command(name: 'backup' | 'audit' | 'doctor', args: string[], env: Record<string, string>) {
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, [join(root, 'dist', 'cli', `${name}.mjs`), ...args], {
    cwd: root,
    env: { PATH, HOME, HOLDFAST_ENV_FILE: '/dev/null', ...env } as unknown as NodeJS.ProcessEnv,
  })
  child.stdin.end()
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve))
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { status: await exited, out, err }
}

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-backup-'))
  undo.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The variables of an empty store: of PostgreSQL, a database of its own. */
async function emptyStore(dialect: 'sqlite' | 'postgresql'): Promise<Record<string, string>> {
  if (dialect === 'sqlite') return {}
  const { url, drop } = await createDatabase()
  undo.push(drop)
  const { hostname, port, username, pathname, password } = new URL(url)
  return {
    ...{ DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: pathname.slice(1) },
    ...{ DB_USER: username, DB_PASSWORD: password },
  }
}

describe.each(['sqlite', 'postgresql'] as const)('a backup of a console on %s', (dialect) => {
  it('is made while it serves, and restored on an empty machine, where TOTP signs in and the log is sound', {
    timeout: 180_000,
  }, async (context) => {
    context.skip(dialect === 'postgresql' && inject('postgres') === null, postgresMissing)
    const [first, second, backups] = [emptyFolder(), emptyFolder(), emptyFolder()]
    const store = await emptyStore(dialect)
    const given = { TWO_FA_WINDOW: '10', BACKUP_MAX_AGE: '1h' }
    const running = await startConsole({ dataDir: first, env: { ...given, ...store } })
    undo.push(() => running.stop())
    const { accessToken } = await setUpByProgram(running)
    const { app } = await enrolByProgram(running.url, accessToken, 10)
    const signIn = async (url: string) => {
      const { post } = program({ url })
      const { body } = await post('/api/auth/login', credentials)
      return post('/api/auth/verify', { challenge: body.challenge, code: app.next() })
    }
    const { body: before } = await signIn(running.url)
    const health = async () => {
      const { get } = program(running)
      const { body } = await get('/api/infrastructure/system/health', bearer(before.tokens.accessToken))
      return body.components.find(({ id }: { id: string }) => id === 'backup')
    }
    expect(await health()).toMatchObject({ state: 'warn', detail: 'No backup was made yet.' })

    const here = { HOLDFAST_DATA_DIR: first, BACKUP_DIR: backups, BACKUP_PASSPHRASE: passphrase, ...store }
    const began = Date.now()
    const made = await command('backup', ['create', '--keep', '2'], here)
    expect(made).toMatchObject({ status: 0, err: '' })
    const [path = ''] = made.out.split('\n')
    expect(readdirSync(backups)).toEqual([path.slice(backups.length + 1)])
    // The verdict before may hold for a second.
    await expect
      .poll(health, { timeout: 5_000 })
      .toMatchObject({ state: 'ok', detail: 'The last backup is 0 minutes old.' })
    const { body: metrics } = await program({ url: `http://127.0.0.1:${running.port}` }).get('/api/metrics')
    const at = Number(/^holdfast_backup_last_success_timestamp_seconds (\S+)$/m.exec(metrics)?.[1])
    expect(at).toBeGreaterThanOrEqual(Math.floor(began / 1000))
    expect(metrics).toMatch(/^holdfast_backup_max_age_seconds 3600$/m)
    const verified = await command('backup', ['verify'], here)
    expect(verified).toMatchObject({ status: 0, err: '' })

    const doctor = await command('doctor', ['--json'], { ...here, ...given, PORT: String(running.port) })
    const lines = JSON.parse(doctor.out) as { title: string; state: string; detail: string }[]
    expect(lines.filter(({ state }) => state === 'problem')).toEqual([])
    expect(lines.find(({ title }) => title === 'Port')?.detail).toBe(
      `This release serves at 127.0.0.1:${running.port}.`,
    )

    // In place of what is there: refused, by what is in the way.
    const there = { BACKUP_PASSPHRASE: passphrase, HOLDFAST_DATA_DIR: second }
    const onto = await command('backup', ['restore', path], { ...here, BACKUP_DIR: '' })
    expect(onto.status).toBe(1)
    expect(onto.err).toMatch(
      dialect === 'sqlite' ? /Another Holdfast \(pid \d+\) already serves/ : /is not empty: it holds \w+\./,
    )
    await running.stop({ keep: true })
    if (dialect === 'sqlite') {
      const held = await command('backup', ['restore', path], here)
      expect([held.status, held.err]).toEqual([1, expect.stringContaining('it holds holdfast.db')])
    }

    const empty = await emptyStore(dialect)
    const locked = await command('backup', ['restore', path], { HOLDFAST_DATA_DIR: second, ...empty })
    expect([locked.status, locked.err]).toEqual([1, expect.stringContaining('BACKUP_PASSPHRASE is not set')])
    expect(existsSync(join(second, 'master.key'))).toBe(false)
    const restored = await command('backup', ['restore', path], { ...there, ...empty })
    expect(restored).toMatchObject({ status: 0, err: '' })
    expect(restored.out).toContain('goes on in epoch 2. 2 sessions were ended')

    const again = await startConsole({ dataDir: second, env: { ...given, ...empty } })
    undo.push(() => again.stop({ keep: true }))
    expect(again.setUpLink).toBe(null)
    const { get } = program(again)
    expect((await get('/api/auth/me', bearer(before.tokens.accessToken))).status).toBe(401)
    const signedIn = await signIn(again.url)
    expect(signedIn).toMatchObject({ status: 200, body: { session: { email: credentials.email } } })
    const sound = await command('audit', ['verify'], { HOLDFAST_DATA_DIR: second, ...empty })
    expect(sound).toMatchObject({ status: 0, err: '' })
    expect(sound.out).toContain('Sound: nothing was changed, added or taken away.')
    expect(sound.out).toContain('Restored from a backup, as the log says')
  })
})
