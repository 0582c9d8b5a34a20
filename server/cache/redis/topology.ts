import type { Redis } from 'ioredis'
import type { SentinelPlace } from '../types'
import {
  type Access,
  type Address,
  accessOf,
  addressText,
  drop,
  makeClient,
  type Place,
  parseAddress,
  parseInfo,
} from './connect'
import { PlainError } from './reasons'
import type { Wire } from './wire'

export interface Shard {
  address: Address
  /** Slots from, to; all of them where there is no cluster. */
  ranges: [number, number][]
  replicas: Address[]
}

export const SLOTS = 16_384
const DEADLINE = 1_000

/**
 * Who has which keys now. `wires` are connections to nodes that answer; without one, every address of `known` is
 * asked over a connection of its own. Throws what tells most about why nobody could say it.
 */
export async function discover(
  place: Place,
  { wires, known }: { wires: Wire[]; known: Address[] },
): Promise<Shard[]> {
  if ('redis' in place) {
    const { host, port } = place.redis
    return [{ address: { host, port }, ranges: [[0, SLOTS - 1]], replicas: [] }]
  }
  if ('sentinel' in place) {
    return [{ address: await askSentinels(place.sentinel), ranges: [[0, SLOTS - 1]], replicas: [] }]
  }
  const views = (await Promise.allSettled(wires.map((wire) => viewOf(wire)))).flatMap((view) =>
    view.status === 'fulfilled' ? [view.value] : [],
  )
  if (views.length === 0) views.push(await askAny(known, accessOf(place)))
  // A node that was cut off tells of the past: the latest epoch is right.
  return views.reduce((best, view) => (view.epoch > best.epoch ? view : best)).shards
}

interface View {
  epoch: number
  shards: Shard[]
}

type Asking = Pick<Wire, 'ask'> & { client: Redis }

async function viewOf(node: Asking): Promise<View> {
  const [info, slots] = await Promise.all([node.ask('CLUSTER', 'INFO'), node.ask('CLUSTER', 'SLOTS')])
  const shards = new Map<string, Shard>()
  const addressOf = ([host, port]: [Buffer | null, number]): Address => ({
    host: host && host.length > 0 ? String(host) : (node.client.options.host as string),
    port,
  })
  for (const [from, to, master, ...replicas] of slots as [number, number, ...[Buffer | null, number][]][]) {
    if (!master) continue
    const address = addressOf(master)
    const shard = shards.get(addressText(address)) ?? {
      address,
      ranges: [],
      replicas: replicas.map(addressOf),
    }
    shard.ranges.push([from, to])
    shards.set(addressText(address), shard)
  }
  if (shards.size === 0) throw new PlainError('The cluster has no slots yet.')
  return { epoch: Number(parseInfo(info).cluster_current_epoch ?? 0), shards: [...shards.values()] }
}

function askAny(known: Address[], access: Access): Promise<View> {
  return first(
    known.map((address) => withClient(address, access, viewOf)),
    'No node of the cluster answers.',
  )
}

async function askSentinels({ sentinels, name, sentinelPassword, tls }: SentinelPlace): Promise<Address> {
  const ask = ({ ask }: Asking) => ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)
  const access = { password: sentinelPassword, tls }
  return first(
    sentinels.map(async (sentinel) => {
      const found = await withClient(parseAddress(sentinel), access, ask)
      if (!Array.isArray(found)) throw new PlainError(`The Sentinels know no master named ${name}.`)
      return { host: String(found[0]), port: Number(found[1]) }
    }),
    'No Sentinel answers.',
  )
}

/** The first that ends well. Of the errors, one that is more than "nobody is there" tells most. */
async function first<T>(tries: Promise<T>[], nobody: string): Promise<T> {
  try {
    return await Promise.any(tries)
  } catch (error) {
    const errors = (error as AggregateError).errors as (Error & { code?: string })[]
    throw (
      errors.find(({ name }) => name === 'ReplyError' || name === 'PlainError') ??
      errors.find(
        ({ code, message }) => /ENOTFOUND|CERT|SSL|TLS|EPROTO/.test(`${code}`) || /certificate/.test(message),
      ) ??
      new PlainError(nobody)
    )
  }
}

/** Asks over a connection that lives for this question alone. */
async function withClient<T>(
  address: Address,
  access: Access,
  work: (node: Asking) => Promise<T>,
): Promise<T> {
  let told: Error | undefined
  const client = makeClient(address, access, (error) => (told ??= error), {
    connectTimeout: DEADLINE,
    commandTimeout: DEADLINE,
    retryStrategy: () => null,
  })
  const timer = setTimeout(() => drop(client), 2 * DEADLINE)
  try {
    await client.connect()
    return await work({ client, ask: (name, ...args) => client.callBuffer(name, ...args) })
  } catch (error) {
    throw told ?? error
  } finally {
    clearTimeout(timer)
    drop(client)
  }
}
