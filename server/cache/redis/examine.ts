import { accessOf, addressText, drop, makeClient, type Place, parseAddress, parseInfo } from './connect'
import { reasonOf } from './reasons'

/** What one Redis says of itself. */
export interface RedisFacts {
  /** host:port. */
  address: string
  /** Why it can't be used, in one sentence; the rest is empty then. */
  problem: string | null
  version: string
  cluster: boolean
  /** Bytes; 0: no bound. */
  maxMemory: number
  evictionPolicy: string
  /** Whether it writes its data to a disk. */
  persistent: boolean
}

const none = { version: '', cluster: false, maxMemory: 0, evictionPolicy: '', persistent: false }

/** Asks each Redis that the configuration names for what it is, once. Sentinels are asked alone. Never throws. */
export async function examineRedis(place: Place): Promise<RedisFacts[]> {
  const addresses =
    'redis' in place
      ? [place.redis]
      : ('cluster' in place ? place.cluster.nodes : place.sentinel.sentinels).map(parseAddress)
  const access =
    'sentinel' in place
      ? { password: place.sentinel.sentinelPassword, tls: place.sentinel.tls }
      : accessOf(place)
  return Promise.all(
    addresses.map(async ({ host, port }): Promise<RedisFacts> => {
      const address = addressText({ host, port })
      let heard: Error | undefined
      const client = makeClient({ host, port }, access, (error) => (heard ??= error), {
        commandTimeout: 5_000,
      })
      try {
        await client.connect()
        await client.ping()
        return { address, problem: null, ...factsOf(parseInfo(await client.info())) }
      } catch (error) {
        return { address, problem: reasonOf(heard ?? error), ...none }
      } finally {
        drop(client)
      }
    }),
  )
}

function factsOf(info: Record<string, string>): Omit<RedisFacts, 'address' | 'problem'> {
  return {
    version: info.redis_version ?? '',
    cluster: info.cluster_enabled === '1',
    maxMemory: Number(info.maxmemory ?? 0),
    evictionPolicy: info.maxmemory_policy ?? '',
    persistent:
      info.aof_enabled === '1' ||
      Number(info.rdb_last_save_time ?? 0) >
        Number(info.server_time_usec ?? 0) / 1e6 - Number(info.uptime_in_seconds ?? 0) + 1,
  }
}
