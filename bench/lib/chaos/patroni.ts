import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { findPostgresBinaries } from '@/db/testing/postgres-place'
import {
  freePorts,
  makeFolder,
  removeFolder,
  type Spawned,
  serverIdentity,
  signal,
  spawnServer,
  stopServer,
  waitUntil,
} from '@/db/testing/processes'
import type { Pair, Place } from './pair'

const PATRONI = '/usr/bin/patroni'
const ETCD = '/usr/bin/etcd'

/** Whether Debian's patroni and etcd-server are here. */
export function hasPatroni(): boolean {
  return existsSync(PATRONI) && existsSync(ETCD) && findPostgresBinaries()?.startsWith('/usr') === true
}

interface Member {
  place: Place
  data: string
  config: string
}

/** Two servers that Patroni looks after, in synchronous mode, with one etcd. Nobody here promotes anything. */
export async function patroniPair(): Promise<Pair> {
  const identity = serverIdentity()
  const folder = makeFolder('patroni', identity)
  const ports = await freePorts(6)
  const [client, peer, ...rest] = ports as [number, number, number, number, number, number]
  const etcd = spawnServer(
    ETCD,
    [
      ...['--data-dir', join(folder, 'etcd'), '--name', 'one'],
      ...[
        '--listen-client-urls',
        `http://127.0.0.1:${client}`,
        '--advertise-client-urls',
        `http://127.0.0.1:${client}`,
      ],
      ...[
        '--listen-peer-urls',
        `http://127.0.0.1:${peer}`,
        '--initial-advertise-peer-urls',
        `http://127.0.0.1:${peer}`,
      ],
      ...['--initial-cluster', `one=http://127.0.0.1:${peer}`, '--unsafe-no-fsync'],
    ],
    { folder, name: 'etcd', identity },
  )
  await waitUntil('etcd', async () => (await fetch(`http://127.0.0.1:${client}/health`)).ok, etcd)
  const members = [0, 1].map((at) =>
    writeMember(folder, `member${at + 1}`, client, rest[at * 2] as number, rest[at * 2 + 1] as number),
  ) as [Member, Member]
  const start = (at: 0 | 1) =>
    spawnServer(PATRONI, [members[at].config], { folder, name: `patroni${at + 1}`, identity })
  const ask = async <Row extends object>(at: 0 | 1, text: string, values: unknown[] = []): Promise<Row[]> => {
    const connection = new Client({ ...members[at].place, connectionTimeoutMillis: 5_000 })
    connection.on('error', () => undefined)
    await connection.connect()
    try {
      return (await connection.query(text, values)).rows as Row[]
    } finally {
      await connection.end()
    }
  }
  const isPrimary = async (at: 0 | 1) =>
    (await ask<{ primary: boolean }>(at, 'SELECT NOT pg_is_in_recovery() AS primary'))[0]?.primary === true
  const running: [Spawned, Spawned | undefined] = [start(0), undefined]
  await waitUntil('the first server', () => isPrimary(0), running[0], 120_000)
  running[1] = start(1)
  await waitUntil(
    'the synchronous replica',
    async () => (await ask(0, "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")).length === 1,
    running[1],
    120_000,
  )
  return {
    places: [members[0].place, members[1].place],
    ask,
    async kill() {
      signal(running[0], 'SIGKILL')
      process.kill(postmasterOf(members[0]), 'SIGKILL')
      await running[0].exited
    },
    promote: () => waitUntil('the promotion by Patroni', () => isPrimary(1), running[1], 120_000),
    async comeBack() {
      running[0] = start(0)
      await waitUntil('the old primary', async () => !(await isPrimary(0)), running[0], 120_000)
    },
    async stop() {
      // Patroni stops its server before it ends.
      for (const one of running) if (one) await stopServer(one, 'SIGTERM', 30_000)
      await stopServer(etcd, 'SIGTERM')
      removeFolder(folder)
    },
  }
}

function postmasterOf({ data }: Member): number {
  return Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
}

/** Patroni's least: a leader's key lives for 20 s, so that is how long a dead machine goes unnoticed. */
function writeMember(folder: string, name: string, etcd: number, port: number, rest: number): Member {
  const home = join(folder, name)
  mkdirSync(home, { mode: 0o755 })
  const data = join(folder, `${name}-data`)
  const password = 'chaos'
  const config = join(home, 'patroni.json')
  const settings = {
    scope: 'chaos',
    name,
    restapi: { listen: `127.0.0.1:${rest}`, connect_address: `127.0.0.1:${rest}` },
    etcd3: { host: `127.0.0.1:${etcd}` },
    bootstrap: {
      dcs: {
        ...{ ttl: 20, loop_wait: 1, retry_timeout: 3, synchronous_mode: true },
        postgresql: { use_pg_rewind: true, parameters: { wal_log_hints: 'on', max_connections: 100 } },
      },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }],
    },
    postgresql: {
      ...{ listen: `127.0.0.1:${port}`, connect_address: `127.0.0.1:${port}` },
      ...{ data_dir: data, bin_dir: findPostgresBinaries(), pgpass: join(folder, `${name}.pgpass`) },
      authentication: {
        superuser: { username: 'holdfast', password },
        replication: { username: 'replicator', password },
        rewind: { username: 'holdfast', password },
      },
      pg_hba: ['host all all 127.0.0.1/32 scram-sha-256', 'host replication all 127.0.0.1/32 scram-sha-256'],
      parameters: { unix_socket_directories: '', fsync: 'off' },
    },
  }
  // YAML is a superset of JSON.
  writeFileSync(config, JSON.stringify(settings), { mode: 0o644 })
  const place = { host: '127.0.0.1', port, user: 'holdfast', password, database: 'postgres' }
  return { place, data, config }
}
