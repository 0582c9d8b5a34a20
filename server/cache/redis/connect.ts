import { Redis, type RedisOptions } from 'ioredis'
import type { ClusterPlace, RedisPlace, SentinelPlace, TlsOptions } from '../types'

export type Place = { redis: RedisPlace } | { cluster: ClusterPlace } | { sentinel: SentinelPlace }

export interface Address {
  host: string
  port: number
}

/** How to be let in, the same for every node of a place. */
export interface Access {
  username?: string | undefined
  password?: string | undefined
  db?: number | undefined
  tls?: TlsOptions | undefined
}

/**
 * Options that fail fast: ioredis' own queue is unbounded, and its first error after a dead server comes after
 * 73 s. Deadlines, retries and the fallback are ours. RESP2, as ioredis drops the pushes of RESP3.
 */
const failFast = {
  protocol: 2,
  lazyConnect: true,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  disableClientInfo: true,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  connectTimeout: 2_000,
  retryStrategy: (attempt: number) => Math.min(250, 50 * attempt),
} satisfies RedisOptions

/** Makes a client for one node, not yet connected. Errors are listened to from the start. */
export function makeClient(
  address: Address,
  access: Access,
  onError: (error: Error) => void,
  options: RedisOptions = {},
): Redis {
  const client = new Redis({ ...failFast, ...address, ...accessOptions(access), ...options })
  client.on('error', onError)
  return client
}

/** Ends a client for good, at once: a hung server would not end its connection. */
export function drop(client: Redis): void {
  client.disconnect()
  client.stream?.destroy()
}

function accessOptions({ username, password, db, tls }: Access): RedisOptions {
  return {
    ...(username && { username }),
    ...(password && { password }),
    ...(db && { db }),
    ...(tls && {
      tls: { ...(tls.ca && { ca: tls.ca }), ...(tls.servername && { servername: tls.servername }) },
    }),
  }
}

export function accessOf(place: Place): Access {
  if ('redis' in place) return place.redis
  return 'cluster' in place ? place.cluster : place.sentinel
}

/** Reads host:port, [::1]:port among them. */
export function parseAddress(text: string): Address {
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) }
}

export function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** A place in words, for people: addresses, never secrets. */
export function placeText(place: Place): string {
  if ('redis' in place) return addressText(place.redis)
  if ('cluster' in place) return place.cluster.nodes.join(', ')
  return `${place.sentinel.name} at ${place.sentinel.sentinels.join(', ')}`
}

export type Info = Record<string, string>

/** The fields of INFO or CLUSTER INFO. */
export function parseInfo(text: unknown): Info {
  return Object.fromEntries(
    String(text)
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  )
}
