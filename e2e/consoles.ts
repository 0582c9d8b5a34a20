import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '@/db/testing/processes'
import { startPostgres, startRedis } from '@/db/testing/servers'
import { startHaproxy } from './haproxy'
import { type ConsoleOptions, type RunningConsole, startConsole } from './server'

/** Consoles on one PostgreSQL and one Redis behind haproxy. */
export interface Consoles {
  /** Where clients go. */
  url: string
  consoles: RunningConsole[]
  /** The address of one console, past haproxy. */
  at(index: number): { url: string; port: number }
  /** Starts one again that has ended, on its port and data folder; with another build when one is named. */
  restart(index: number, options?: Pick<ConsoleOptions, 'root'>): Promise<void>
  /** What they were started with, for a command line on the same store. */
  env: Record<string, string>
  /** Rows of the store. */
  query<Row extends object>(sql: string): Promise<Row[]>
  stop(): Promise<void>
}

export interface ConsolesOptions {
  env?: Record<string, string>
  /** The folder of the build; the project's without. */
  root?: string
  /** Runs before the first console starts, with the URL of the empty database. */
  before?: (url: string) => Promise<void>
  /** Starts all at the same time; otherwise the first one alone, which makes the store. */
  together?: boolean
}

/** Starts PostgreSQL, Redis, `count` consoles and haproxy. Everything ends with stop(). */
export async function startConsoles(
  count: number,
  { env = {}, root, before, together = false }: ConsolesOptions = {},
): Promise<Consoles> {
  const undo: (() => unknown)[] = []
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
    undo.push(() => Promise.all([postgres.stop(), redis.stop()]))
    const { database, url } = await postgres.createDatabase('holdfast')
    await before?.(url)
    const ports = await freePorts(count + 1)
    const front = ports.pop() as number
    const given = {
      ...{ DB_TYPE: 'postgresql', DB_HOST: postgres.host, DB_PORT: String(postgres.port), DB_NAME: database },
      ...{ DB_USER: postgres.user, DB_PASSWORD: postgres.password, DB_POOL_MAX: '8' },
      ...{ REDIS_HOST: redis.host, REDIS_PORT: String(redis.port) },
      HOLDFAST_MASTER_KEY: Buffer.alloc(32, 'consoles').toString('base64'),
      HOLDFAST_URL: `http://localhost:${front}`,
      TRUSTED_PROXIES: '127.0.0.1',
      TWO_FA_WINDOW: '10',
      ...env,
    }
    const consoles: RunningConsole[] = []
    undo.push(() => Promise.all(consoles.map((each) => end(each))))
    const start = async (index: number, build = root) => {
      const dataDir = consoles[index]?.dataDir ?? mkdtempSync(join(tmpdir(), 'holdfast-instance-'))
      if (!consoles[index]) undo.unshift(() => rmSync(dataDir, { recursive: true, force: true }))
      const options = { env: given, dataDir, port: ports[index] as number }
      consoles[index] = await startConsole(build === undefined ? options : { ...options, root: build })
    }
    const rest = Array.from({ length: count }, (_, index) => index)
    if (!together) await start(rest.shift() as number)
    await Promise.all(rest.map((index) => start(index)))
    const proxy = await startHaproxy(front, ports)
    undo.push(proxy.stop)
    return {
      ...{ url: proxy.url, consoles, env: given },
      at: (index) => ({ url: `http://127.0.0.1:${ports[index]}`, port: ports[index] as number }),
      restart: (index, { root: build } = {}) => start(index, build ?? root),
      query: (sql) => postgres.query(sql, [], database),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** One that is stopped by SIGSTOP ends, too. */
async function end(console: RunningConsole): Promise<void> {
  try {
    process.kill(console.pid, 'SIGCONT')
  } catch {
    // It has ended.
  }
  await console.stop()
}
