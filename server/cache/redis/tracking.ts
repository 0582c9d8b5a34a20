import type { Redis } from 'ioredis'
import { type Access, drop, makeClient } from './connect'
import type { Member } from './member'
import type { RedisEvents } from './types'

export interface TrackingDeps {
  prefix: string
  access: Access
  events: RedisEvents
  members: () => Member[]
}

interface Listener {
  client: Redis
  /** Whether Redis redirects to it what the data connection tracks. */
  armed: boolean
  /** Since when it is to be armed, or a PING is unanswered. */
  askedAt: number | null
}

const BEAT = 500
const SILENT = 1_500
const CHANNEL = '__redis__:invalidate'

/**
 * Redis tells of changes that others make: every data connection tracks the keys under the prefix and redirects what
 * it learns to a second connection, as ioredis drops the pushes of RESP3. An own change is not told. While one of
 * the connections is away, changes are missed: `changed(null)` says so when it ends, and when it is back.
 */
export class Tracking {
  readonly #deps: TrackingDeps
  readonly #listeners = new Map<Member, Listener>()
  readonly #timer: NodeJS.Timeout

  constructor(deps: TrackingDeps) {
    this.#deps = deps
    this.#timer = setInterval(() => this.#beat(), BEAT).unref()
  }

  /** Whether no change is missed now. */
  get armed(): boolean {
    const members = this.#deps.members()
    return members.length > 0 && members.every((member) => this.#listeners.get(member)?.armed)
  }

  /** After a change of the nodes or their standings. */
  look(): void {
    const members = this.#deps.members()
    for (const member of [...this.#listeners.keys()]) {
      if (!members.includes(member) || member.standing.use !== 'used') this.#end(member)
    }
    for (const member of members) {
      if (member.standing.use === 'used' && !this.#listeners.has(member)) this.#begin(member)
    }
  }

  close(): void {
    clearInterval(this.#timer)
    const clients = [...this.#listeners.values()].map(({ client }) => client)
    this.#listeners.clear()
    for (const client of clients) drop(client)
  }

  #begin(member: Member): void {
    const client = makeClient(member.address, this.#deps.access, () => undefined, {
      retryStrategy: () => null,
    })
    const listener: Listener = { client, armed: false, askedAt: performance.now() }
    this.#listeners.set(member, listener)
    client.on('end', () => {
      if (this.#listeners.get(member) === listener) this.#end(member)
    })
    client.on('messageBuffer', (_channel: Buffer, keys: unknown) => this.#tell(keys))
    void this.#arm(member, listener).catch(() => drop(client))
  }

  async #arm(member: Member, listener: Listener): Promise<void> {
    const { client } = listener
    const connection = member.wire.client.stream
    await client.connect()
    const id = await client.client('ID')
    await client.subscribe(CHANNEL)
    // A second ON with the same prefix is an error.
    await member.wire.ask('CLIENT', 'TRACKING', 'OFF')
    await member.wire.ask(
      ...([
        'CLIENT',
        'TRACKING',
        'ON',
        'REDIRECT',
        id,
        'BCAST',
        'PREFIX',
        this.#deps.prefix,
        'NOLOOP',
      ] as const),
    )
    if (this.#listeners.get(member) !== listener || member.wire.client.stream !== connection) {
      throw new Error('The connection was lost meanwhile.')
    }
    listener.armed = true
    listener.askedAt = null
    this.#deps.events.changed(null)
  }

  #end(member: Member): void {
    const listener = this.#listeners.get(member)
    this.#listeners.delete(member)
    if (listener) drop(listener.client)
    if (listener?.armed) this.#deps.events.changed(null)
  }

  #tell(keys: unknown): void {
    const { events, prefix } = this.#deps
    // FLUSHALL and FLUSHDB say null.
    if (!Array.isArray(keys)) events.changed(null)
    else events.changed(keys.map((key: Buffer) => String(key).slice(prefix.length)))
  }

  /** Finds connections that are dead without an end, and tries again those that could not be armed. */
  #beat(): void {
    const now = performance.now()
    for (const listener of this.#listeners.values()) {
      if (listener.askedAt !== null) {
        if (now - listener.askedAt > SILENT) drop(listener.client)
      } else if (listener.armed) {
        listener.askedAt = now
        const heard = () => {
          listener.askedAt = null
        }
        listener.client.ping().then(heard, () => undefined)
      }
    }
    this.look()
  }
}
