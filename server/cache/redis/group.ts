import calculateSlot from 'cluster-key-slot'
import { type Address, accessOf, addressText, drop, type Place, parseAddress } from './connect'
import type { Deadlines } from './deadlines'
import { CLOSED_AT_ONCE, type Member, makeMember, reconnect } from './member'
import { CONNECTION_LOST, isTelling, reasonOf } from './reasons'
import { LAG } from './recent'
import { connecting, next, type StandingEvent } from './state'
import { discover, type Shard, SLOTS } from './topology'

export interface GroupDeps {
  deadlines: { calls: Deadlines; care: Deadlines }
  /** Something of the standings changed. */
  changed: () => void
  /** Puts a node in order and says how it stands; never throws. Called every beat while it isn't well. */
  restore: (member: Member) => Promise<void>
}

/** Milliseconds between two probes. */
const BEAT = 250
const DISCOVERY = 5_000
/** How long a node may leave the probe unanswered until its connection is given up. */
const HUNG = 1_000

/** The nodes of a place, who has which slot, and the beat that looks after them. */
export class Group {
  readonly place: Place
  readonly #deps: GroupDeps
  readonly #members = new Map<string, Member>()
  #owners: (Member | undefined)[] = []
  #only: Member | undefined
  #shards: Shard[] = []
  #timer: NodeJS.Timeout | undefined
  #discovering = false
  #stale = true
  #discoveredAt = Number.NEGATIVE_INFINITY
  #dirty = false
  #closed = false
  /** Why nobody could say who has which keys; null when it is known. */
  reason: string | null = 'Connecting.'

  constructor(deps: GroupDeps, place: Place) {
    this.#deps = deps
    this.place = place
  }

  start(): void {
    this.#timer = setInterval(() => this.#beat(), BEAT).unref()
    this.#beat()
  }

  get members(): Member[] {
    return [...this.#members.values()]
  }

  get shards(): Shard[] {
    return this.#shards
  }

  /** Whether slots are without a node. */
  get uncovered(): boolean {
    return 'cluster' in this.place && this.#owners.includes(undefined)
  }

  /** The node that has a whole key. */
  owner(key: string | Buffer): Member | undefined {
    return 'cluster' in this.place ? this.#owners[calculateSlot(key)] : this.#only
  }

  named(name: string): Member | undefined {
    return this.#members.get(name)
  }

  /** A node told that a slot moved. Answers its new node if it is known and used. */
  moved(slot: number, to: string): Member | undefined {
    this.rediscover()
    const member = this.#members.get(to)
    if (member?.standing.use !== 'used') return undefined
    this.#owners[slot] = member
    return member
  }

  /** Looks who has which keys, at the next beat. */
  rediscover(): void {
    this.#stale = true
  }

  apply(member: Member, event: StandingEvent): void {
    const before = member.standing
    member.standing = next(before, event)
    if (member.standing === before) return
    if (member.standing.use === 'away' && before.use === 'used') {
      this.rediscover()
      setImmediate(() => this.#beat())
    }
    if (member.standing.silent === 0) this.#deps.changed()
  }

  /** Everything of ours must be deleted where this key is, before it is used again; of an unknown node: everywhere. */
  distrust(key: string): void {
    const owner = this.owner(key)
    if (!owner) this.#dirty = true
    for (const member of owner ? [owner] : this.members) this.distrustMember(member)
  }

  distrustMember(member: Member): void {
    member.dirty = true
    this.apply(member, { type: 'lost', reason: 'Too many keys changed while it was away.' })
  }

  /** From the start: a process before this one left more than could be remembered. */
  distrustAll(): void {
    this.#dirty = true
  }

  get distrusted(): boolean {
    return this.#dirty || this.members.some(({ dirty }) => dirty)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    for (const member of this.members) drop(member.wire.client)
  }

  #beat(): void {
    if (this.#closed) return
    const now = performance.now()
    const { members } = this
    const well = members.every(({ standing }) => standing.use === 'used')
    if (this.#stale || !well || this.uncovered || now - this.#discoveredAt > DISCOVERY) void this.#discover()
    for (const member of members) {
      if (member.silentSince !== null && now - member.silentSince > HUNG) reconnect(member)
      const { use, refuses } = member.standing
      if (use !== 'used' || refuses !== null || member.owes) void this.#restore(member)
    }
  }

  async #restore(member: Member): Promise<void> {
    if (member.restoring || member.wire.client.status !== 'ready' || performance.now() < member.retryAt)
      return
    member.restoring = true
    await this.#deps.restore(member)
    member.restoring = false
  }

  async #discover(): Promise<void> {
    if (this.#discovering) return
    this.#discovering = true
    this.#stale = false
    try {
      const wires = this.members.filter(({ standing }) => standing.use === 'used').map(({ wire }) => wire)
      const shards = await discover(this.place, { wires, known: this.#known() })
      this.#discoveredAt = performance.now()
      if (!this.#closed) this.#take(shards)
    } catch (error) {
      this.#stale = true
      const reason = reasonOf(error)
      if (this.#closed || this.reason === reason) return
      this.reason = reason
      this.#deps.changed()
    } finally {
      this.#discovering = false
    }
  }

  #known(): Address[] {
    if (!('cluster' in this.place)) return []
    const told = this.#shards.flatMap(({ address, replicas }) => [address, ...replicas]).map(addressText)
    return [...new Set([...this.place.cluster.nodes, ...told])].map(parseAddress)
  }

  #take(shards: Shard[]): void {
    const { members, reason } = this
    const before = this.#owners
    // A slot that nobody is told to have stays with its node until another one takes it.
    const owners = Array.from({ length: SLOTS }, (_, slot) => before[slot])
    for (const { address, ranges } of shards) {
      const member = this.#members.get(addressText(address)) ?? this.#add(address)
      const stoodIn = new Set<Member>([member])
      for (const [from, to] of ranges) {
        for (let slot = from; slot <= to; slot++) {
          const old = before[slot]
          if (old && !stoodIn.has(old)) {
            stoodIn.add(old)
            this.#standIn(member, old)
          }
          owners[slot] = member
        }
      }
    }
    this.#shards = shards
    this.#owners = owners
    this.#only = owners[0]
    this.reason = null
    this.#dirty = false
    for (const member of members) if (!owners.includes(member)) this.#forget(member)
    if (reason !== null || members.length !== this.#members.size) this.#deps.changed()
  }

  #add(address: Address): Member {
    const member = makeMember(
      {
        deadlines: this.#deps.deadlines,
        lost: (lost, error) => this.#lost(lost, error),
        ready: (ready) => void this.#restore(ready),
      },
      address,
      accessOf(this.place),
    )
    member.dirty = this.#dirty
    this.#members.set(member.name, member)
    return member
  }

  /** `member` has slots of `old` now. After a failover it may not know the last of what `old` took. */
  #standIn(member: Member, old: Member): void {
    member.owes = true
    if (old.standing.use === 'used' && member.standing.use === 'used') return
    member.dirty ||= old.dirty
    member.behindSince = Math.min(
      member.behindSince ?? Number.POSITIVE_INFINITY,
      old.behindSince ?? Number.POSITIVE_INFINITY,
      old.answeredAt - LAG,
    )
    if (member.standing.use === 'used') {
      this.apply(member, { type: 'lost', reason: 'It stands in for another node.' })
    }
  }

  #forget(member: Member): void {
    this.#members.delete(member.name)
    drop(member.wire.client)
  }

  #lost(member: Member, error: Error): void {
    if (this.#closed || this.#members.get(member.name) !== member) return
    const { use, reason } = member.standing
    // What came before a connection's end tells more than that it ended.
    const told = isTelling(error) ? reasonOf(error) : CONNECTION_LOST
    if (use === 'away' && weight(told) < weight(reason ?? '')) return
    this.apply(member, { type: 'lost', reason: told })
  }
}

function weight(reason: string): number {
  const vague = [connecting.reason, CONNECTION_LOST, CLOSED_AT_ONCE].indexOf(reason)
  return vague < 0 ? 3 : vague
}
