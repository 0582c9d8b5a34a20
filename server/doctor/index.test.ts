import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import BetterSqlite3 from 'better-sqlite3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '@/db/testing/processes'
import { startRedis } from '@/db/testing/servers'
import { createDatabase, emptyStore, needsPostgres, needsRedis, sharedRedis } from '@/db/testing/shared'
import { parseVariables } from '@/server/env'
import { openLog } from '@/server/log'
import { openStore } from '@/server/open-store'
import { examine, type Line } from '.'

const execute = promisify(execFile)
const isRoot = process.getuid?.() === 0
let top: string
/** A sound store of this release, to be copied and spoiled. */
let sound: string
let folder: string
let port: string

beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), 'holdfast-doctor-'))
  sound = join(top, 'sound')
  const { database } = await openStore(parseVariables({ HOLDFAST_DATA_DIR: sound }), openLog('error'), {
    serving: false,
  })
  await database.close()
})
afterAll(() => rmSync(top, { recursive: true, force: true }))
beforeEach(async () => {
  folder = mkdtempSync(join(top, 'data-'))
  cpSync(sound, folder, { recursive: true })
  port = String(await freePort())
})

const given = (more: Record<string, string> = {}) => ({
  ...{ HOLDFAST_ENV_FILE: '/dev/null', HOLDFAST_DATA_DIR: folder, PORT: port },
  ...more,
})

/** What is not in order, as `title: detail`. */
async function amiss(more: Record<string, string> = {}, state: Line['state'] = 'problem') {
  const lines = await examine(given(more))
  for (const line of lines) if (line.state !== 'ok') expect(line.remedy ?? line.detail).toMatch(/\S/)
  return lines.filter((line) => line.state === state).map(({ title, detail }) => `${title}: ${detail}`)
}

const spoil = (work: (store: BetterSqlite3.Database) => void) => {
  const store = new BetterSqlite3(join(folder, 'holdfast.db'))
  work(store)
  store.close()
}

describe('the doctor', { timeout: 60_000 }, () => {
  it('finds nothing broken in a fresh store, and misses a backup', async () => {
    expect(await amiss()).toEqual([])
    expect(await amiss({}, 'warning')).toEqual(['Backup: No backup of this store was ever made.'])
  })

  it('names every value that cannot be used, misspelled names, and what contradicts itself, without secrets', async () => {
    const file = join(folder, 'env')
    writeFileSync(file, 'DB_PASWORD=planted-1\nCOLOUR=red\nJWT_SECRET=planted-2\n')
    const more = { HOLDFAST_ENV_FILE: file, PORT: '99999', DB_TYPE: 'mysql', REDIS_HSOT: 'r', TERM_NAME: 'x' }
    const lines = await examine(given({ ...more, TWO_FA_WINDOW: '10' }))
    const told = lines.filter(({ title, state }) => title === 'Configuration' && state !== 'ok')
    expect(told.map(({ state, detail, remedy }) => `${state}: ${detail} ${remedy}`)).toEqual([
      `warning: ${file} sets COLOUR, which nothing reads. Remove it; README.md lists what is read.`,
      `warning: ${file} sets DB_PASWORD, which nothing reads. Did you mean DB_PASSWORD?`,
      'warning: the environment sets REDIS_HSOT, which nothing reads. Did you mean REDIS_HOST?',
      'problem: PORT is "99999"; it takes a port, 1 to 65535. The console does not start with it.',
      'problem: DB_TYPE is "mysql"; it takes sqlite or postgresql. The console does not start with it.',
      'problem: JWT_SECRET is a value that does not fit; it takes at least 32 bytes, and no placeholder. The console does not start with it.',
      expect.stringContaining('warning: Codes of 300 s before and after'),
    ])
    expect(JSON.stringify(lines)).not.toContain('planted')
    expect(await amiss({ DB_POOL_MIN: '9', DB_POOL_MAX: '3' })).toEqual([
      expect.stringContaining('DB_POOL_MIN is 9'),
    ])
  })

  it('looks at the rights of data folder and key, and at the key itself', async () => {
    chmodSync(folder, 0o755)
    expect(await amiss({}, 'warning')).toContainEqual(
      `Data folder: Other users of this machine may look into ${folder}.`,
    )
    const key = join(folder, 'master.key')
    chmodSync(key, 0o644)
    expect(await amiss()).toEqual([`Master key: Other users of this machine may read ${key}.`])
    writeFileSync(key, 'short\n')
    chmodSync(key, 0o600)
    expect(await amiss()).toContainEqual(`Master key: ${key} does not hold a key of 32 bytes in base64.`)
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(await amiss({ HOLDFAST_DATA_DIR: file })).toContainEqual(
      `Data folder: ${file} is not a folder that this user may write to.`,
    )
    expect(await amiss({ AUDIT_CHECKPOINT_DIR: join(file, 'audit') })).toContainEqual(
      expect.stringContaining('Checkpoints: This user may not write to'),
    )
  })

  it.skipIf(!isRoot)('tells of a disk that is nearly full', async () => {
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    await execute('mount', ['-t', 'tmpfs', '-o', 'size=20m,mode=700', 'tmpfs', disk])
    try {
      expect(await amiss({ HOLDFAST_DATA_DIR: disk })).toEqual([
        expect.stringMatching(/^Disk: \d+ MB are free at /),
      ])
    } finally {
      await execute('umount', [disk])
    }
  })

  it('names a port that another program has', async () => {
    const other = createServer((socket) => socket.on('error', () => {}).end('220 ready\r\n')).listen(
      Number(port),
      '127.0.0.1',
    )
    await once(other, 'listening')
    expect(await amiss()).toEqual([`Port: Another program listens at 127.0.0.1:${port}.`])
    other.close()
  })

  it('tells of a store that is damaged, newer or older', async () => {
    spoil((store) => store.exec('update __drizzle_migrations set created_at = created_at + 1000'))
    expect(await amiss()).toEqual([
      expect.stringContaining('Schema: The store was written by a newer release'),
    ])
    spoil((store) => store.exec('update __drizzle_migrations set created_at = 1'))
    expect(await amiss({}, 'warning')).toContainEqual(expect.stringContaining('of an older release'))
    writeFileSync(
      join(folder, 'holdfast.db'),
      'no database at all, but long enough to be looked at'.repeat(100),
    )
    expect(await amiss()).toEqual([expect.stringMatching(/^Store: .*holdfast\.db is damaged: /)])
  })

  it('says how old the last backup is', async () => {
    const last = (at: number) =>
      spoil((store) =>
        store
          .prepare("insert or replace into meta (key, value) values ('backup-last', ?)")
          .run(JSON.stringify({ at, bytes: 1, path: '/b/holdfast' })),
      )
    last(Date.now() - 3 * 3_600_000)
    expect(await amiss({}, 'warning')).toEqual([])
    expect(await amiss({ BACKUP_MAX_AGE: '2h' }, 'warning')).toContainEqual(
      'Backup: The last backup is 3 hours old, at /b/holdfast.',
    )
  })

  it('works where the console cannot start, says it as JSON, and ends with 1', async () => {
    const script = `ulimit -n 300; exec "${process.execPath}" dist/cli/doctor.mjs --json`
    const env = { PATH: process.env.PATH, ...given({ DB_TYPE: 'mysql' }) } as unknown as NodeJS.ProcessEnv
    const failed = await execute('sh', ['-c', script], { env }).catch((error) => error)
    expect(failed.code).toBe(1)
    const lines = JSON.parse(failed.stdout) as Line[]
    expect(lines).toContainEqual(expect.objectContaining({ title: 'Open files', state: 'warning' }))
    expect(lines.find(({ state }) => state === 'problem')?.detail).toContain('DB_TYPE is "mysql"')
    expect(existsSync('dist/cli/doctor.mjs')).toBe(true)
  })

  describe('with PostgreSQL', () => {
    needsPostgres()

    it('names the step that fails, a replica that is none, and a schema that is missing', async () => {
      const { url, drop } = await createDatabase(emptyStore)
      const { hostname, port, username, pathname, password } = new URL(url)
      const store = {
        ...{ DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: pathname.slice(1) },
        ...{ DB_USER: username, DB_PASSWORD: password },
      }
      try {
        expect(await amiss(store)).toEqual([])
        const wrong = await amiss({ ...store, DB_PASSWORD: 'planted-3' })
        expect(wrong).toEqual([expect.stringMatching(/^Database, authentication: /)])
        expect(wrong.join()).not.toContain('planted')
        const away = await amiss({ ...store, DB_PORT: String(await freePort()) })
        expect(away).toEqual([expect.stringMatching(/^Database, tcp: /)])
        const replica = await amiss({ ...store, DB_READ_HOST: hostname }, 'warning')
        expect(replica).toContainEqual(`Replica: ${hostname}:${port} is a primary, not a replica.`)
      } finally {
        await drop()
      }
    })
  })

  describe('with Redis', () => {
    needsRedis()

    it('tells of one that is away, refuses, is no cluster, or refuses writes when it is full', async () => {
      const { host, port, password } = sharedRedis()
      const here = { REDIS_HOST: host, REDIS_PORT: String(port) }
      expect(await amiss({ ...here, REDIS_PASSWORD: password })).toEqual([])
      expect(await amiss({ ...here, REDIS_PASSWORD: 'planted-4' })).toEqual([
        expect.stringMatching(/^Redis: .* cannot be used\. (?!.*planted)/),
      ])
      expect(await amiss({ ...here, REDIS_PORT: String(await freePort()) })).toEqual([
        expect.stringContaining('cannot be used'),
      ])
      const cluster = { REDIS_CLUSTER_ENABLED: '1', REDIS_CLUSTER_NODES: `${host}:${port}` }
      expect(await amiss({ ...cluster, REDIS_PASSWORD: password })).toEqual([
        `Redis: ${host}:${port} is a single Redis, no node of a cluster.`,
      ])
      const full = await startRedis({ settings: { maxmemory: '10mb', 'maxmemory-policy': 'noeviction' } })
      try {
        const found = await amiss({ REDIS_HOST: full.host, REDIS_PORT: String(full.port) }, 'warning')
        expect(found).toContainEqual(expect.stringContaining('every write is refused'))
      } finally {
        await full.stop()
      }
    })
  })
})
