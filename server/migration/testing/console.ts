import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { migrateSqlite } from '@/db/migrate'
import { openPostgres, openSqlite, type PgHandle } from '@/db/open'
import { SqliteDriver } from '@/db/sqlite/driver'
import { Store } from '@/db/store'
import { openPool } from '@/db/testing/pools'
import { createDatabase } from '@/db/testing/shared'
import { openTestPostgres, testAuditKey } from '@/db/testing/stores'
import { q, unit } from '@/db/unit'
import type { Caller } from '@/server/audit'
import { inputHash, makeGrant } from '@/server/grants'
import { type Log, openLog } from '@/server/log'
import type { Trace } from '@/server/trace'
import { openVault } from '@/server/vault'
import type { MigrationNews } from '../runs/news'
import type { Run } from '../runs/run'
import { type Migration, openMigration } from '../service'
import type { PostgresSide, SqliteSide } from '../store/own-store'
import type { Target } from '../types'

export const migrationsFolder = resolve('db/migrations')
export const admin: Caller = {
  actorId: null,
  actor: 'admin@example.org',
  sessionId: 'session',
  address: '127.0.0.1',
  userAgent: 'test',
  requestId: 'request',
}

/** The admin's account and the session that asks for everything. */
const signInAdmin = unit('test.signInAdmin', function* (tx, now: number) {
  const { users, sessions } = tx.tables
  const expiresAt = now + 86_400_000
  yield* q(
    tx.db.insert(users).values({
      ...{ id: 'admin', email: admin.actor, name: 'Admin', role: 'admin', state: 'active' },
      ...{ createdAt: now, updatedAt: now },
    }),
  )
  yield* q(
    tx.db.insert(sessions).values({
      ...{ id: admin.sessionId ?? '', userId: 'admin', methods: ['pwd'], device: 'test', deviceHash: 'test' },
      ...{ address: '127.0.0.1', createdAt: now, lastUsedAt: now, idleExpiresAt: expiresAt, expiresAt },
    }),
  )
})

/** A console's migrations on a store and folders of its own, with a PostgreSQL database as target. */
export interface TestConsole {
  store: Store
  dataDir: string
  sourceDir: string
  storeFile: string | null
  target: Target
  targetUrl: string
  migration: Migration
  news: MigrationNews[]
  /** How far the console's clock is ahead. */
  aheadMs: number
  /** Names of other consoles that serve the store. */
  others: string[]
  /** A step-up grant of the admin's session for one action on a run. */
  grant(
    runId: string,
    action?: `migration.${'start' | 'switchOver' | 'switchBack' | 'cutOver'}`,
  ): Promise<string>
  database(): SqliteSide | PostgresSide
  /** Another console on the same store, beside this one. */
  another(): Promise<Migration>
  /** Closes the migrations and opens them again on the same store, as a restart does. */
  restart(): Promise<Migration>
  /** Resolves when the run is as asked, woken by the news of it. */
  until(id: string, holds: (run: Run) => boolean): Promise<Run>
}

interface ConsoleParts {
  /** Database that runs write to; one of the shared server without it. */
  place?: string
  trace?: Trace | undefined
  log?: Log
}

export async function openTestConsole(
  later: (step: () => unknown) => void,
  dialect: 'sqlite' | 'postgresql',
  { place, trace, log = openLog('error') }: ConsoleParts = {},
): Promise<TestConsole> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-console-'))
  later(() => rmSync(folder, { recursive: true, force: true }))
  const dataDir = join(folder, 'data')
  const sourceDir = join(folder, 'sources')
  for (const path of [dataDir, sourceDir]) mkdirSync(path)
  const { url, drop } = place ? { url: place, drop: () => {} } : await createDatabase()
  later(drop)
  const { hostname, port, username, password, pathname } = new URL(url)
  const target: Target = {
    host: hostname,
    port: Number(port),
    user: username,
    password,
    database: pathname.slice(1),
    schema: 'public',
  }
  // Pools outlive the migrations that use them.
  const sides: (() => unknown)[] = []
  const openPool = (place: Target) => openSide(place, (close) => sides.push(close))
  const storeFile = dialect === 'sqlite' ? join(dataDir, 'holdfast.db') : null
  let current: SqliteSide | PostgresSide
  let store: Store
  if (storeFile) {
    const side = openFile(storeFile, later)
    migrateSqlite(side.client, migrationsFolder)
    store = new Store(side.handle, testAuditKey)
    current = side
  } else {
    store = await openTestPostgres(later)
    current = openPool(target)
  }
  await store.run(signInAdmin, Date.now())
  const news: MigrationNews[] = []
  const wakers = new Set<() => void>()
  const vault = openVault(Buffer.alloc(32, 5))
  const open = () =>
    openMigration(
      {
        store,
        vault,
        clock: { now: () => Date.now() + console.aheadMs },
        log,
        trace,
        publish(one) {
          news.push(one)
          for (const wake of wakers) wake()
        },
        openPostgres: openPool,
        openSqlite: (file) => openFile(file, (close) => sides.push(close)),
        others: async () => console.others,
        database: () => current,
        adopt(next) {
          current = next
        },
      },
      {
        dataDir,
        sourceDirs: [sourceDir],
        uploadMax: 64 * 2 ** 20,
        workerFile: resolve('dist/migration-worker.mjs'),
        migrationsFolder,
        storeFile,
        switchBackMs: 3_600_000,
        envTarget: target,
        authority: {},
      },
    )
  const console: TestConsole = {
    store,
    dataDir,
    sourceDir,
    storeFile,
    target,
    targetUrl: url,
    migration: open(),
    news,
    aheadMs: 0,
    others: [],
    async grant(id, action = 'migration.start') {
      const { grantId } = await store.run(makeGrant, {
        ...{ sessionId: admin.sessionId ?? '', action, inputHash: inputHash({ id }), method: 'otp' },
        ...{ by: admin, now: Date.now() + console.aheadMs },
      })
      return grantId
    },
    database: () => current,
    async another() {
      const other = open()
      later(() => other.close())
      await other.start()
      return other
    },
    async restart() {
      await console.migration.close()
      console.migration = open()
      await console.migration.start()
      return console.migration
    },
    async until(id, holds) {
      for (;;) {
        let wake = () => {}
        const told = new Promise<void>((done) => {
          wake = done
        })
        wakers.add(wake)
        const run = await console.migration.getRun(id)
        if (holds(run)) {
          wakers.delete(wake)
          return run
        }
        await told
        wakers.delete(wake)
      }
    },
  }
  await console.migration.start()
  later(async () => {
    await console.migration.close()
    for (const close of sides) await close()
  })
  return console
}

/** A SQLite store's file with the shape of the console's own; closed with the test at the latest. */
function openFile(file: string, later: (step: () => unknown) => void): SqliteSide {
  const client = new BetterSqlite3(file)
  client.pragma('journal_mode = WAL')
  client.pragma('foreign_keys = ON')
  const driver = new SqliteDriver(client)
  later(() => driver.close())
  return {
    dialect: 'sqlite',
    client,
    handle: openSqlite(driver),
    alone: (work) => driver.alone(work),
    leave: () => driver.leave(),
  }
}

/** A pool with the shape of the console's own; closed with the test at the latest. */
export function openSide(target: Target, later: (step: () => unknown) => void): PostgresSide {
  const pool = openPool({ ...target, ssl: undefined, max: 5 })
  let ended: Promise<void> | undefined
  const close = () => {
    ended ??= pool.end()
    return ended
  }
  later(close)
  return {
    dialect: 'postgresql',
    client: { query: pool.query.bind(pool), connect: () => pool.connect() } as unknown as PgHandle,
    handle: openPostgres(pool),
    close,
  }
}
