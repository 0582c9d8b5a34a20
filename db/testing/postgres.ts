import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { initialise, makePlace, type Place, writeSettings } from './postgres-place'
import { freePort, removeFolder, type Spawned, signal, spawnServer, stopServer, waitUntil } from './processes'

export type PostgresOptions = {
  /** postgresql.conf settings over the ones for tests, e.g. { fsync: 'on', max_connections: 20 }. */
  settings?: Record<string, string | number>
  /** Keeps the data in this folder, also after the end, and goes on with what is there. */
  folder?: string
}

export type PostgresServer = {
  host: string
  port: number
  user: string
  password: string
  /** The database that `url` names: 'postgres'. */
  database: string
  url: string
  readonly pid: number
  /** Where the server keeps its data and its log. */
  folder: string
  /** PostgreSQL's major version, e.g. 15. */
  version: number
  /** Creates a database, with a name of its own when none is given; resolves to its name and URL. */
  createDatabase(name?: string): Promise<{ database: string; url: string }>
  /** Runs one statement as the superuser, in `database` or in 'postgres'. */
  query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: unknown[],
    database?: string,
  ): Promise<Row[]>
  /** SIGKILL: a crash. `start()` brings the server back on the same port with its data. */
  kill9(): Promise<void>
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void
  /** SIGCONT, after pause(). */
  resume(): void
  /** Starts the server again after kill9() or stop({ keep: true }). */
  start(): Promise<void>
  /** Fast shutdown; removes the data unless `keep`. */
  stop(options?: { keep?: boolean }): Promise<void>
}

/** For tests: durable against a crash of the server (not of the machine), ready for replicas, quiet. */
const TEST_SETTINGS: Record<string, string | number> = {
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'logical',
  wal_keep_size: '128MB',
  max_slot_wal_keep_size: '1GB',
  max_connections: 200,
  shared_buffers: '64MB',
  log_checkpoints: 'off',
}

/**
 * Starts a PostgreSQL of its own on a free port of 127.0.0.1, superuser 'holdfast' by SCRAM.
 * It ends with this process at the latest, and its data with it unless `folder` keeps it.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const place = await makePlace('pg', options.folder)
  if (!existsSync(join(place.data, 'PG_VERSION'))) await initialise(place)
  writeSettings(place, { ...TEST_SETTINGS, ...options.settings })
  return serve(place)
}

export function serve(place: Place): Promise<PostgresServer> {
  return new Server(place).begin()
}

class Server implements PostgresServer {
  readonly host = '127.0.0.1'
  readonly user = 'holdfast'
  readonly database = 'postgres'
  readonly password: string
  readonly folder: string
  readonly version: number
  #place: Place
  #running: Spawned | undefined
  #created = 0

  constructor(place: Place) {
    this.#place = place
    this.password = place.password
    this.folder = place.folder
    this.version = Number(readFileSync(join(place.data, 'PG_VERSION'), 'utf8').trim())
  }

  get port(): number {
    return this.#place.port
  }
  get pid(): number {
    if (!this.#running) throw new Error('PostgreSQL is not running.')
    return this.#running.pid
  }
  get url(): string {
    return this.#urlOf(this.database)
  }
  #urlOf(database: string): string {
    return `postgres://${this.user}:${this.password}@${this.host}:${this.port}/${database}`
  }

  /** The first start, on another port when the free one was taken meanwhile. */
  async begin(): Promise<this> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.start()
        return this
      } catch (error) {
        const taken = /could not bind|Address already in use/.test(String(error))
        if (!taken || attempt === 5) throw error
        this.#place.port = await freePort()
      }
    }
  }

  async start(): Promise<void> {
    const { bin, data, folder, identity, port } = this.#place
    const running = spawnServer(
      join(bin, 'postgres'),
      ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      { folder, name: 'postgres', identity },
    )
    this.#running = running
    // Recovery may take a moment, and PostgreSQL answers "the database system is starting up" meanwhile.
    await waitUntil('PostgreSQL', async () => (await this.query('select 1')).length === 1, running, 60_000)
  }

  async query<Row extends object = Record<string, unknown>>(
    text: string,
    values: unknown[] = [],
    database = this.database,
  ): Promise<Row[]> {
    const client = new Client({ connectionString: this.#urlOf(database), connectionTimeoutMillis: 5_000 })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return (await client.query(text, values)).rows as Row[]
    } finally {
      await client.end()
    }
  }

  async createDatabase(name?: string): Promise<{ database: string; url: string }> {
    const database = name ?? `test_${process.pid}_${++this.#created}_${randomBytes(3).toString('hex')}`
    await this.query(`create database "${database.replaceAll('"', '""')}"`)
    return { database, url: this.#urlOf(encodeURIComponent(database)) }
  }

  async kill9(): Promise<void> {
    if (!this.#running) return
    // Its children notice only after a moment that it has gone, and answer until then.
    const children = await this.query<{ pid: number }>('select pid from pg_stat_activity').catch(() => [])
    await stopServer(this.#running, 'SIGKILL')
    this.#running = undefined
    for (const { pid } of children) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended meanwhile.
      }
    }
    await waitUntil('the end of PostgreSQL', async () => !(await this.#answers()))
  }

  async #answers(): Promise<boolean> {
    return this.query('select 1').then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'ECONNREFUSED',
    )
  }

  pause(): void {
    if (this.#running) signal(this.#running, 'SIGSTOP')
  }
  resume(): void {
    if (this.#running) signal(this.#running, 'SIGCONT')
  }

  async stop(options: { keep?: boolean } = {}): Promise<void> {
    if (this.#running) await stopServer(this.#running, 'SIGINT')
    this.#running = undefined
    if (!options.keep) removeFolder(this.folder)
  }
}
