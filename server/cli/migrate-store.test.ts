import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDatabase, needsPostgres } from '@/db/testing/shared'
import { lockDataDir } from '@/server/instance-lock'

needsPostgres()

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('npm run migrate for the own store', { timeout: 120_000 }, () => {
  let folder: string
  let url: string
  const undo: (() => unknown)[] = []
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-store-'))
    undo.push(() => rmSync(folder, { recursive: true, force: true }))
    const database = await createDatabase()
    undo.push(database.drop)
    url = database.url
    const made = await command('admin', ['create', '--email', 'ana@example.org'], {
      input: 'a horse, a battery and a staple',
    })
    expect(made.code).toBe(0)
  })
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  const postgres = () => {
    const { hostname, port, pathname, username, password } = new URL(url)
    return {
      DB_TYPE: 'postgresql',
      DB_HOST: hostname,
      DB_PORT: port,
      DB_NAME: pathname.slice(1),
      DB_USER: decodeURIComponent(username),
      DB_PASSWORD: decodeURIComponent(password),
    }
  }

  async function command(
    name: 'admin' | 'migrate',
    args: string[],
    { env = {} as Record<string, string>, input = '' } = {},
  ) {
    const { PATH = '' } = process.env
    const child = spawn(process.execPath, [join(root, 'dist/cli', `${name}.mjs`), ...args], {
      cwd: root,
      env: { PATH, HOLDFAST_DATA_DIR: folder, ...env } as unknown as NodeJS.ProcessEnv,
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on('exit', resolve)),
    ])
    return { stdout, stderr, code }
  }

  async function rows(sql: string) {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }

  it('moves it, keeps the choice, and says the next time that nothing is left to do', async () => {
    const moved = await command('migrate', [], { env: postgres() })
    expect(moved).toMatchObject({ code: 0, stderr: '' })
    expect(moved.stdout).toContain('The store is now at')
    expect(moved.stdout).not.toContain(postgres().DB_PASSWORD)
    expect(existsSync(join(folder, 'store.json'))).toBe(true)
    expect(await rows('SELECT email FROM users')).toEqual([{ email: 'ana@example.org' }])
    expect(await rows('SELECT state FROM migration_runs')).toEqual([{ state: 'switched_over' }])
    const events = await rows(`SELECT actor FROM audit_events WHERE event = 'sys_migration_switched_over'`)
    expect(events).toEqual([{ actor: 'command line' }])
    const again = await command('migrate', ['--json'], { env: postgres() })
    expect(again.code).toBe(0)
    expect(JSON.parse(again.stdout)).toEqual({
      type: 'message',
      message: expect.stringContaining('nothing is left to do'),
    })
    // The console's own commands stand on PostgreSQL from now on, without the DB_ variables too.
    const admin = await command('admin', ['create', '--email', 'ben@example.org'], {
      input: 'a horse, a battery and a staple',
    })
    expect(admin.code).toBe(0)
    expect(await rows('SELECT email FROM users ORDER BY email')).toHaveLength(2)

    const back = await command('migrate', ['switch-back'])
    expect(back).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('in SQLite again') })
    expect(existsSync(join(folder, 'store.json'))).toBe(false)
    const kept = new BetterSqlite3(join(folder, 'holdfast.db'), { readonly: true })
    undo.push(() => kept.close())
    expect(kept.prepare('SELECT email FROM users ORDER BY email').pluck().all()).toEqual([
      'ana@example.org',
      'ben@example.org',
    ])
    const twice = await command('migrate', ['switch-back'])
    expect(twice).toMatchObject({ code: 1, stdout: expect.stringContaining('nothing to switch back') })
  })

  it('is refused while the console serves the store, and nothing is written', async () => {
    const lock = lockDataDir(folder)
    undo.push(() => lock.release())
    const refused = await command('migrate', [], { env: postgres() })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('already serves')
    expect(refused.stderr).toContain('on its page Migration')
    expect(await rows(`SELECT FROM pg_tables WHERE schemaname = 'public'`)).toEqual([])
  })

  it('ends with 3 where PostgreSQL refuses, and moves on the next try', async () => {
    const wrong = { ...postgres(), DB_NAME: 'no_such_database' }
    const refused = await command('migrate', [], { env: wrong })
    expect(refused).toMatchObject({ code: 3, stdout: expect.stringContaining('nothing was written') })
    expect(await command('migrate', [], { env: postgres() })).toMatchObject({ code: 0, stderr: '' })
  })

  it('says that there is no store where none was made', async () => {
    const none = await command('migrate', [], {
      env: { ...postgres(), HOLDFAST_DATA_DIR: join(folder, 'empty') },
    })
    expect(none).toMatchObject({ code: 1, stdout: expect.stringContaining('There is no SQLite store') })
  })
})
