import { execFile } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { findPostgresBinaries } from '@/db/testing/postgres-place'
import {
  freePort,
  makeFolder,
  removeFolder,
  serverIdentity,
  spawnServer,
  stopServer,
  waitUntil,
} from '@/db/testing/processes'
import { startPostgres } from '@/db/testing/servers'
import { needsPostgres, needsRedis } from '@/db/testing/shared'

vi.setConfig({ testTimeout: 180_000 })

const run = promisify(execFile)
const script = (name: string) => join(import.meta.dirname, '..', 'ops/compose', name)
const undo: (() => unknown)[] = []
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** Starts a script with variables of its own, as the container would. */
function start(name: string, args: string[], env: Record<string, string>) {
  const identity = serverIdentity()
  const folder = makeFolder('compose', identity)
  const path = `${findPostgresBinaries()}:${process.env.PATH}`
  const given = Object.entries({ PATH: path, ...env, PGDATA: folder }).map(
    ([key, value]) => `${key}=${value}`,
  )
  const place = { folder: makeFolder('compose-log', identity), name: 'script', identity }
  // The tree itself may be root's alone.
  const copy = join(place.folder, name)
  copyFileSync(script(name), copy)
  const server = spawnServer('env', ['-i', ...given, 'sh', copy, ...args], place)
  undo.push(async () => {
    await stopServer(server, 'SIGINT')
    for (const each of [folder, place.folder]) removeFolder(each)
  })
  return server
}

describe('the scripts of compose.yaml', () => {
  needsPostgres()
  needsRedis()

  it('make a replica that follows its primary', async () => {
    const primary = await startPostgres()
    undo.push(() => primary.stop())
    const port = await freePort()
    const server = start(
      'replica.sh',
      ['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      {
        ...{ PRIMARY_HOST: primary.host, PRIMARY_PORT: String(primary.port) },
        ...{ PRIMARY_USER: primary.user, PGPASSWORD: primary.password },
      },
    )
    const streams = async () =>
      (await primary.query("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'")).length === 1
    await waitUntil('The replica', streams, server, 90_000)
  })

  it('join six Redis nodes, once', async () => {
    const ports = await portsWithBus(6)
    const secret = { REDIS_PASSWORD: 'a-password-of-redis' }
    for (const port of ports) {
      start('redis-node.sh', ['--bind', '127.0.0.1'], { ...secret, REDIS_PORT: String(port) })
    }
    const env = {
      PATH: process.env.PATH ?? '',
      REDISCLI_AUTH: secret.REDIS_PASSWORD,
      REDIS_NODES: ports.map((port) => `127.0.0.1:${port}`).join(' '),
    } as unknown as NodeJS.ProcessEnv
    const told = async (port: number, ...asked: string[]) =>
      (await run('redis-cli', ['-p', String(port), ...asked], { env })).stdout
    for (const port of ports) await waitUntil('Redis', async () => (await told(port, 'ping')) === 'PONG\n')
    await run('sh', [script('redis-cluster.sh')], { env })
    // The others hear of it by gossip.
    const last = () => told(ports[5] as number, 'cluster', 'info')
    await waitUntil('The last node', async () => (await last()).includes('cluster_state:ok'))
    const again = await run('sh', [script('redis-cluster.sh')], { env })
    expect(again.stdout).toBe('The cluster is whole.\n')
    const nodes = () => told(ports[0] as number, 'cluster', 'nodes')
    await waitUntil('The replicas', async () => (await nodes()).match(/ (myself,)?slave /g)?.length === 3)
    expect((await nodes()).match(/ (myself,)?master /g)).toHaveLength(3)
  })
})

/** Free ports whose bus port, 10,000 above, is free, too. */
async function portsWithBus(count: number): Promise<number[]> {
  const found: number[] = []
  for (let port = 21_000 + (process.pid % 500) * 10; found.length < count; port++) {
    if ((await isFree(port)) && (await isFree(port + 10_000))) found.push(port)
  }
  return found
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
