import { setTimeout as pause } from 'node:timers/promises'
import type { RedisServer } from '@/db/testing/servers'
import { type CachePlace, deadPort, roleOf } from './cache-places'

export const FAULTS = ['kill', 'snapshot', 'hang', 'restart', 'refused', 'full', 'readonly'] as const
export type FaultName = (typeof FAULTS)[number]

export interface Fault {
  name: FaultName
  /** What it does, for the printed line. */
  text: string
  /** Milliseconds that it lasts. */
  lasts: number
  begin(): Promise<void>
  end(): Promise<void>
}

/** Of the faults of a cluster, those that hit any node and not a master for sure: a lost replica is noticed by nobody. */
const ANY = 0.4

/** Makes one fault at a random node of a place. Refused writes need a master: a replica takes none anyway. */
export async function makeFault(random: () => number, place: CachePlace, name: FaultName): Promise<Fault> {
  const masters = await mastersOf(place)
  const any = random() < ANY && name !== 'full' && name !== 'readonly'
  const among = any ? place.nodes : masters
  const node = among[Math.floor(random() * among.length)] as RedisServer
  const role = masters.includes(node) ? 'master' : 'replica'
  const between = (least: number, most: number) => least + random() * (most - least)
  const made = (what: string, lasts: number, begin: Fault['begin'], end: Fault['end']): Fault => ({
    ...{ name, lasts, begin, end },
    text: `${what} of a ${place.name === 'single' ? 'single server' : `cluster's ${role}`} at ${node.port}`,
  })
  const start = () => node.start()
  switch (name) {
    case 'kill':
      return made('kill -9', between(100, 3_000), () => node.kill9(), start)
    case 'snapshot':
      // The file is of now, and the load goes on for a while: the restarted server holds older values.
      await node.command('SAVE')
      return made('kill -9 and an old snapshot', between(100, 3_000), () => node.kill9(), start)
    case 'hang':
      return made(
        'SIGSTOP',
        between(100, 4_000),
        async () => node.pause(),
        async () => node.resume(),
      )
    case 'restart':
      return made('restart', 0, () => shutDown(node, 'SAVE'), start)
    case 'refused':
      return made('connection refused', between(2_000, 4_000), () => shutDown(node, 'NOSAVE'), start)
    case 'full':
      return made(
        'out of memory',
        between(1_000, 3_000),
        () => configure(node, 'maxmemory', '1'),
        () => configure(node, 'maxmemory', '0'),
      )
    case 'readonly': {
      if (place.name === 'cluster') {
        // Nodes of a cluster obey no REPLICAOF; without enough replicas one refuses writes as a replica does.
        return made(
          'refused writes',
          between(1_000, 3_000),
          () => configure(node, 'min-replicas-to-write', '9'),
          () => configure(node, 'min-replicas-to-write', '0'),
        )
      }
      const port = await deadPort()
      return made(
        'role of a replica',
        between(1_000, 3_000),
        async () => void (await node.command('REPLICAOF', '127.0.0.1', port)),
        async () => void (await node.command('REPLICAOF', 'NO', 'ONE')),
      )
    }
  }
}

async function mastersOf(place: CachePlace): Promise<RedisServer[]> {
  const roles = await Promise.all(place.nodes.map(roleOf))
  return place.nodes.filter((_, at) => roles[at] === 'master')
}

async function configure(node: RedisServer, name: string, value: string): Promise<void> {
  await node.command('CONFIG', 'SET', name, value)
}

/** An orderly end, with a snapshot or without. */
async function shutDown(node: RedisServer, snapshot: 'SAVE' | 'NOSAVE'): Promise<void> {
  const { pid } = node
  // It closes the connection instead of an answer.
  await node.command('SHUTDOWN', snapshot).catch(() => undefined)
  for (let tries = 0; lives(pid); tries++) {
    if (tries === 1_000) throw new Error(`Redis did not shut down in 10 s.`)
    await pause(10)
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
