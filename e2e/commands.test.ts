import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openGuide } from '@/db/testing/guides'
import { createDatabase, needsPostgres } from '@/db/testing/shared'
import { bearer, enrolByProgram, setUpByProgram } from './program'
import { freePort, startConsole } from './server'

vi.setConfig({ testTimeout: 120_000 })

const execute = promisify(execFile)
const root = join(import.meta.dirname, '..')
const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
const documents = ['README.md', 'CONTRIBUTING.md', ...pages.map((name) => `docs/${name}`)]
const textOf = (document: string) => readFileSync(join(root, document), 'utf8')

/** Named blocks of commands, all of which tests run: here, in e2e/metrics.test.ts and server/migration/guide.test.ts. */
const run = {
  'README.md': ['migrate', 'admin', 'backup', 'restore'],
  'docs/migration.md': ['plan', 'run', 'validate', 'own-store'],
  'docs/operations.md': ['rules', 'doctor', 'backup'],
  'docs/security.md': ['audit'],
}

/** Commands in blocks without a name, which no test runs as they stand there, and why. */
const notRun: Record<string, string> = {
  'npm start': 'installs and builds first; e2e/start.test.ts starts what it starts then',
  'npm run demo': 'a stack of its own, by hand',
  'npm test': 'this run',
  'npm run chaos -- upgrade --rounds 3': 'takes minutes: by hand, and before each release',
  'npm run chaos -- instances --rounds 20': 'takes minutes: by hand, and before each release',
  "journalctl -u holdfast -o cat | grep '^{' | jq 'select(.requestId == \"…\")'":
    'systemd runs no console here',
  'HOLDFAST=https://holdfast.example.org': 'sets what the blocks after it use',
  'export TARGET=postgres://app@db.example.org:5432/shop PGPASSWORD=…': 'sets what the blocks after it use',
}

describe('the commands of the documents', () => {
  it('are run by a test, or named as not run', () => {
    // Those of docs/api.md and docs/integration.md have tests of their own that say so.
    const others = ['CONTRIBUTING.md', 'docs/api.md', 'docs/integration.md']
    const named: Record<string, string[]> = {}
    for (const document of documents.filter((each) => !others.includes(each))) {
      const { commands } = openGuide(document)
      if (commands.named.length > 0) named[document] = commands.named
    }
    expect(named).toEqual(run)
    const lines = documents
      .filter((document) => document !== 'CONTRIBUTING.md' && document !== 'docs/api.md')
      .flatMap((document) => openGuide(document).commands.others)
      .map((line) => line.replace(/ +#.*/, ''))
    // Those that start a console with variables are held against the table of variables below.
    expect(lines.filter((line) => !notRun[line] && !/^[A-Z_]+=.* npm start$/.test(line))).toEqual([])
  })

  it('exist, with what they are told to do', async () => {
    const { scripts } = JSON.parse(textOf('package.json'))
    const help = async (name: string) =>
      (await execute(process.execPath, [`dist/cli/${name}.mjs`, '--help'], { cwd: root })).stdout
    const clis = ['admin', 'audit', 'backup', 'doctor', 'migrate']
    const helps = new Map(await Promise.all(clis.map(async (name) => [name, await help(name)] as const)))
    const measurements = (folder: string) =>
      readdirSync(join(root, folder)).map((file) => file.replace(/\.ts$/, ''))
    const known = new Map([
      ['bench', measurements('bench')],
      ['chaos', measurements('bench/chaos')],
    ])
    const told = /\bnpm run (?:-s )?([\w:]+)(?: -- ([^`|<>#\n]*))?/g
    const unknown = documents.flatMap((document) =>
      [...textOf(document).matchAll(told)].flatMap(([command, script = '', words = '']) => {
        const options = words.match(/--[a-z-]+/g) ?? []
        const [action] = /^[a-z][\w-]*/.exec(words) ?? []
        const missing = [
          ...(scripts[script] ? [] : [script]),
          ...(action && known.get(script)?.includes(action) === false ? [action] : []),
          ...[...options, ...(action ? [action] : [])].filter(
            (word) => helps.get(script)?.includes(word) === false,
          ),
        ]
        return missing.length > 0 ? [`${document}: ${command}: ${missing}`] : []
      }),
    )
    expect(unknown).toEqual([])
  })

  it('set variables that there are', () => {
    const known = new Set([...textOf('README.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name))
    const lines = documents.flatMap((document) => openGuide(document).commands.others)
    const starts = lines.filter((line) => line.endsWith(' npm start'))
    const set = starts.flatMap((line) => [...line.matchAll(/([A-Z_]+)=/g)].map(([, name]) => name))
    expect(set.length).toBeGreaterThan(5)
    expect(set.filter((name) => !known.has(name))).toEqual([])
  })
})

describe('on the machine of a console', () => {
  const [readme, operations, security, migration] = [
    'README',
    'docs/operations',
    'docs/security',
    'docs/migration',
  ].map((name) => openGuide(`${name}.md`)) as [Guide, Guide, Guide, Guide]
  const passphrase = 'seven grey boats in the fog'
  let folder: string
  let env: Record<string, string>
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-commands-'))
    for (const name of ['db', 'dist']) symlinkSync(join(root, name), join(folder, name))
    env = {
      ...{ HOME: folder, HOLDFAST_ENV_FILE: '/dev/null', PORT: String(await freePort()) },
      HOLDFAST_DATA_DIR: join(folder, 'data'),
    }
    writeFileSync(join(folder, 'password.txt'), 'a horse, a battery and a staple\n')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const onTheMachine = async (args: string[]) =>
    (await execute(process.execPath, args, { cwd: folder, env: { PATH: process.env.PATH, ...env } as never }))
      .stdout

  it('an admin is made, and let in again who is locked out', async () => {
    const printed = await readme.types('admin', folder, env)
    expect(printed).toMatch(/you@example\.org/)
    expect(printed).toMatch(/http\S+#\S+/)
  })

  it('backups are made, listed and verified, and the console is restored on an empty machine', async () => {
    await readme.types('admin', folder, env)
    expect(await readme.types('backup', folder, env, { '…': `'${passphrase}'` })).toContain(
      'Good: it can be restored.',
    )
    expect(await operations.types('backup', folder, env, { '…': `'${passphrase}'` })).toContain(
      'Good: it can be restored.',
    )
    const [newest = ''] = readdirSync(join(folder, 'data/backups')).sort().reverse()
    const other = { ...env, HOLDFAST_DATA_DIR: join(folder, 'other') }
    const path = join(folder, 'data/backups', newest)
    const restored = await readme.types('restore', folder, other, { '…': `'${passphrase}'`, PATH: path })
    expect(restored).toContain('The audit log is sound')
  })

  it('the doctor finds nothing broken', async () => {
    await readme.types('admin', folder, env)
    expect(await operations.types('doctor', folder, env)).toContain('ok')
  })

  it('an export of the audit log is verified beside a console that serves, and the log itself', async () => {
    const console_ = await startConsole({ dataDir: join(folder, 'data'), env: { TWO_FA_WINDOW: '10' } })
    try {
      const first = await setUpByProgram(console_)
      const { verified } = await enrolByProgram(console_.url, first.accessToken, 10)
      const path = '/api/security/events/export?format=ndjson'
      const exported = await fetch(`${console_.url}${path}`, {
        headers: bearer(verified.body.tokens?.accessToken ?? first.accessToken),
      })
      expect(exported.status).toBe(200)
      writeFileSync(join(folder, 'events.ndjson'), await exported.text())
      expect(await security.types('audit', folder, env)).toContain('Sound')
    } finally {
      await console_.stop({ keep: true })
    }
    const shown = /```text\n\$ npm run audit -- verify\n([\s\S]*?)```/.exec(textOf('README.md'))?.[1]
    const printed = await onTheMachine(['dist/cli/audit.mjs', 'verify'])
    const withoutNumbers = (text = '') => text.replace(/\d+/g, 'N')
    expect(withoutNumbers(printed)).toBe(withoutNumbers(shown))
  })

  describe('with PostgreSQL', () => {
    needsPostgres()

    it('a file is moved', async () => {
      const file = new Database(join(folder, 'shop.db'))
      file.exec(`CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT); INSERT INTO orders VALUES (1, 'a')`)
      file.close()
      const { url, drop } = await createDatabase()
      const { hostname, port, username, password, pathname } = new URL(url)
      try {
        const target = `postgres://${username}@${hostname}:${port}${pathname}`
        const given = { 'postgres://app@localhost:5432/shop': target, '…': password }
        expect(await readme.types('migrate', folder, env, given)).toContain('Both sides are equal')
      } finally {
        await drop()
      }
    })

    it('the own store moves to PostgreSQL and back', async () => {
      await readme.types('admin', folder, env)
      const { url, drop } = await createDatabase()
      const { hostname, port, username, password, pathname } = new URL(url)
      try {
        const place = { DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: pathname.slice(1) }
        const given = { ...env, ...place, DB_USER: username, DB_PASSWORD: password }
        expect(await migration.types('own-store', folder, given)).toContain('SQLite')
      } finally {
        await drop()
      }
    })
  })
})

type Guide = ReturnType<typeof openGuide>
