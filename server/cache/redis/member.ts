import { type Access, type Address, addressText, makeClient } from './connect'
import type { Deadlines } from './deadlines'
import { CONNECTION_LOST, PlainError } from './reasons'
import { connecting, type Standing } from './state'
import { Wire } from './wire'

/** A node that has keys, and what is known of it. Moments are performance.now(). */
export interface Member {
  readonly address: Address
  readonly name: string
  readonly wire: Wire
  standing: Standing
  /** Who answered there last: its run and its replication history. */
  identity: string | null
  /** Our connections there so far, by CLIENT ID: what an old one still has to say must not be executed. */
  connections: number[]
  /** Everything of ours must be deleted before it is used. */
  dirty: boolean
  /** What changed since this moment must be deleted before it is used: it may be behind the node it stands in for. */
  behindSince: number | null
  answeredAt: number
  /** Since when it has been silent to the probe. */
  silentSince: number | null
  restoring: boolean
  /** How often it could not be put in order since it was used, and when that is tried again. */
  failures: number
  retryAt: number
  /** Pending keys may be there. */
  owes: boolean
  /** Counts the connections. */
  session: number
}

/** Makes a member and begins to connect. */
export function makeMember(
  deps: {
    deadlines: { calls: Deadlines; care: Deadlines }
    lost: (member: Member, error: Error) => void
    ready: (member: Member) => void
  },
  address: Address,
  access: Access,
): Member {
  const client = makeClient(address, access, (error: Error & { code?: string }) => {
    // A plain server takes the greeting of TLS for the beginning of a command, and waits for the rest.
    const greeted = access.tls && error.code === 'ETIMEDOUT'
    deps.lost(member, greeted ? new PlainError('The server is silent over TLS: it may not speak it.') : error)
    // ioredis would go on in database 0.
    if (/DB index/i.test(error.message)) client.stream?.destroy()
  })
  const member: Member = {
    address,
    name: addressText(address),
    wire: new Wire(client, deps.deadlines),
    standing: connecting,
    identity: null,
    connections: [],
    dirty: false,
    behindSince: null,
    answeredAt: performance.now(),
    silentSince: null,
    restoring: false,
    failures: 0,
    retryAt: 0,
    owes: true,
    session: 0,
  }
  let connected = false
  client.on('connect', () => {
    connected = true
    member.silentSince = performance.now()
  })
  client.on('ready', () => {
    member.session++
    member.silentSince = null
    deps.ready(member)
  })
  client.on('close', () => {
    member.silentSince = null
    const never = connected && member.identity === null
    connected = false
    deps.lost(member, new PlainError(never ? CLOSED_AT_ONCE : CONNECTION_LOST))
  })
  client.connect().catch(() => undefined)
  return member
}

/** Of a server that closed every connection so far without an answer. */
export const CLOSED_AT_ONCE = 'The server closed the connection: it may want TLS, or is not a Redis.'

/** Ends the connection so that another one is made; a hung server would not end it. */
export function reconnect(member: Member): void {
  member.silentSince = null
  member.wire.client.stream?.destroy()
}
