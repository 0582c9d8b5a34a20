import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { waitUntil } from './processes'
import { startPostgres, startRedis, startRedisCluster, startReplica } from './servers'
import { createDatabase, needsPostgres, needsRedis } from './shared'

const alive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('PostgreSQL for tests', () => {
  needsPostgres()

  it('refuses a wrong password', async () => {
    const { url } = await createDatabase()
    const { Client } = await import('pg')
    const client = new Client({ connectionString: Object.assign(new URL(url), { password: 'wrong' }).href })
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' })
    await client.end()
  })

  it('streams to a replica and keeps committed rows over a crash', async () => {
    const primary = await startPostgres()
    const replica = await startReplica(primary)
    await primary.query('create table kept (n int)')
    await primary.query('insert into kept select generate_series(1, 1000)')
    await replica.caughtUp()
    expect(
      await replica.query('select sum(n)::int as sum, pg_is_in_recovery() as standby from kept'),
    ).toEqual([{ sum: 500500, standby: true }])
    const { pid, folder } = primary
    await primary.kill9()
    await primary.start()
    expect(primary.pid).not.toBe(pid)
    expect(await primary.query('select count(*)::int as rows from kept')).toEqual([{ rows: 1000 }])
    await replica.stop()
    await primary.stop()
    expect(existsSync(folder)).toBe(false)
  })

  it('ends, with its data, when the process that started it is killed', async () => {
    const servers = join(process.cwd(), 'dist/testing/servers.mjs')
    const script = `const { startPostgres } = await import(${JSON.stringify(servers)})
      const server = await startPostgres()
      console.log(JSON.stringify({ pid: server.pid, folder: server.folder }))
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(child.stdout, 'data')
    const { pid, folder } = JSON.parse(String(line)) as { pid: number; folder: string }
    expect(alive(pid)).toBe(true)
    child.kill('SIGKILL')
    await waitUntil('the end of the server', async () => !alive(pid) && !existsSync(folder))
  })
})

describe('Redis for tests', () => {
  needsRedis()

  it('asks for its password and comes back empty after a crash', async () => {
    const server = await startRedis({ password: 'open sesame' })
    await server.command('SET', 'k', 'v')
    expect(await server.command('GET', 'k')).toBe('v')
    const stranger = new Redis({
      host: server.host,
      port: server.port,
      password: 'guess',
      maxRetriesPerRequest: 0,
    })
    const refused = new Promise<Error>((resolve) => stranger.on('error', resolve))
    expect((await refused).message).toMatch(/WRONGPASS/)
    stranger.disconnect()
    await server.kill9()
    await server.start()
    expect(await server.command('GET', 'k')).toBe(null)
    await server.stop()
  })

  it('serves a six-node cluster: every slot has a master and a replica', async () => {
    const cluster = await startRedisCluster()
    expect(cluster.addresses.split(',')).toHaveLength(6)
    const client = new Redis.Cluster(cluster.nodes.map(({ host, port }) => ({ host, port })))
    const keys = Array.from({ length: 60 }, (_, n) => `key:${n}`)
    await Promise.all(keys.map((key) => client.set(key, key)))
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys)
    const slots = (await client.cluster('SLOTS')) as [from: number, to: number, ...nodes: unknown[]][]
    expect(slots.map(([from, to, ...nodes]) => [to - from + 1, nodes.length])).toEqual([
      [5461, 2],
      [5461, 2],
      [5462, 2],
    ])
    client.disconnect()
    await cluster.stop()
  })
})
