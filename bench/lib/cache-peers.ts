import { register } from 'node:module'
import KeyvRedis from '@keyv/redis'
import { createCache as createManager } from 'cache-manager'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { Keyv } from 'keyv'
import { createCache } from '@/server/cache'

export interface Peer {
  name: string
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<unknown>
  mget(keys: string[]): Promise<unknown[]>
  close(): Promise<unknown>
}

const TTL = 600_000

/** ioredis as it comes, or with auto-pipelining, and JSON. */
export function openRaw(port: number, enableAutoPipelining: boolean): Peer {
  const client = new Redis({ port, enableAutoPipelining })
  const parse = (text: string | null) => (text === null ? undefined : JSON.parse(text))
  return {
    name: enableAutoPipelining ? 'ioredis, auto-pipelining' : 'ioredis',
    get: async (key) => parse(await client.get(`raw:${key}`)),
    set: (key, value) => client.set(`raw:${key}`, JSON.stringify(value), 'PX', TTL),
    mget: async (keys) => (await client.mget(keys.map((key) => `raw:${key}`))).map(parse),
    close: () => client.quit(),
  }
}

/** Ours, the local level off. */
export function openOurs(port: number): Peer {
  const cache = createCache({
    redis: { host: '127.0.0.1', port },
    ...{ prefix: 'ours:', local: false, deadline: 5_000 },
  })
  return {
    name: 'holdfast',
    get: (key) => cache.get(key),
    set: (key, value) => cache.set(key, value, { ttl: TTL }),
    mget: (keys) => cache.mget(keys),
    close: () => cache.close(),
  }
}

/** bentocache knows an instance of ioredis 5 alone: its own import of ioredis is led to the alias. */
async function loadBento() {
  const hook = `export const resolve = (name, context, next) =>
    next(name === 'ioredis' && /bentocache|boringnode/.test(context.parentURL ?? '') ? 'ioredis5' : name, context)`
  register(`data:text/javascript,${encodeURIComponent(hook)}`)
  const { BentoCache, bentostore } = await import('bentocache')
  const { redisDriver } = await import('bentocache/drivers/redis')
  const { memoryDriver } = await import('bentocache/drivers/memory')
  return { BentoCache, bentostore, redisDriver, memoryDriver }
}

export async function openBento(port: number): Promise<Peer> {
  const { BentoCache, bentostore, redisDriver } = await loadBento()
  const connection = new Redis5({ port })
  const bento = new BentoCache({
    default: 'redis',
    stores: { redis: bentostore().useL2Layer(redisDriver({ connection: connection as never })) },
  })
  return {
    name: 'bentocache',
    get: (key) => bento.get({ key }),
    set: (key, value) => bento.set({ key, value, ttl: TTL }),
    // It has no mget of its own.
    mget: (keys) => Promise.all(keys.map((key) => bento.get({ key }))),
    close: () => bento.disconnectAll(),
  }
}

export async function openBentoLocal(): Promise<Pick<Peer, 'get' | 'set' | 'close'>> {
  const { BentoCache, bentostore, memoryDriver } = await loadBento()
  const bento = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 10_000 })) },
  })
  return {
    get: (key) => bento.get({ key }),
    set: (key, value) => bento.set({ key, value, ttl: TTL }),
    close: () => bento.disconnectAll(),
  }
}

export function openManager(port: number): Peer {
  const manager = createManager({
    stores: [new Keyv({ store: new KeyvRedis(`redis://127.0.0.1:${port}`) })],
  })
  return {
    name: 'cache-manager, keyv',
    get: (key) => manager.get(key),
    set: (key, value) => manager.set(key, value, TTL),
    mget: (keys) => manager.mget(keys),
    close: () => manager.disconnect(),
  }
}
