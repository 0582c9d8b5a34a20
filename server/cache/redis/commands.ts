import { performance } from 'node:perf_hooks'
import { Histogram } from '@/server/histogram'
import type { OpenSpan, Trace } from '@/server/trace'
import type { Group } from './group'
import type { Member } from './member'
import type { PendingKeys } from './pending'
import { isRefusal, isUnusable, LateError, reasonOf, redirectionOf } from './reasons'
import type { RecentKeys } from './recent'
import type { Answer } from './types'
import type { Args } from './wire'

interface CommandDeps {
  group: Group
  prefix: string
  pending: PendingKeys
  recent: RecentKeys
  order: () => number
  trace?: Trace | undefined
}

interface Read {
  whole: string
  resolve: (entry: Answer<Buffer | null>) => void
}

/** Reads in one command: of more several, so that Redis begins early. */
const MOST_TOGETHER = 64

/** Gives the lock back when the token is still ours. */
const UNLOCK = "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('unlink',KEYS[1]) end return 0"

/** The commands of the cache at the node of each key, behind the deadline and the breakers. */
export class Commands {
  readonly #deps: CommandDeps
  /** `errors`: calls that failed or were not answered. */
  readonly figures = { errors: 0, reads: new Histogram(), writes: new Histogram() }

  /** Reads that were asked for in this turn. */
  #reads: Read[] = []
  /** Keys of a cluster lie in slots; and a trace tells whose command it was. */
  readonly #together: boolean

  constructor(deps: CommandDeps) {
    this.#deps = deps
    this.#together = !('cluster' in deps.group.place) && deps.trace === undefined
  }

  /** Asked for together with what else is asked for in this turn: a command for each costs more than its answer. */
  get(key: string): Promise<Answer<Buffer | null>> {
    return new Promise((resolve) => {
      const whole = this.#deps.prefix + key
      if (!this.#together) this.#get(whole, resolve)
      else if (this.#reads.push({ whole, resolve }) === 1) process.nextTick(() => this.#askReads())
    })
  }

  mget(keys: readonly string[]): Promise<Answer<Buffer | null>[]> {
    const wholes = keys.map((key) => this.#deps.prefix + key)
    if ('cluster' in this.#deps.group.place) return all(wholes, (whole, done) => this.#get(whole, done))
    return new Promise((resolve) => this.#mget(wholes, resolve))
  }

  set(key: string, entry: Buffer, ttl: number): Promise<boolean> {
    return new Promise((resolve) => this.#set(key, entry, ttl, resolve))
  }

  mset(items: readonly { key: string; entry: Buffer; ttl: number }[]): Promise<boolean[]> {
    return all(items, ({ key, entry, ttl }, done) => this.#set(key, entry, ttl, done))
  }

  delete(keys: readonly string[]): Promise<boolean[]> {
    return all(keys, (key, done) => {
      const whole = this.#deps.prefix + key
      this.#write(whole, 'unlink', [whole], done)
    })
  }

  lock(key: string, token: string, ttl: number): Promise<Answer<boolean>> {
    const whole = this.#deps.prefix + key
    return new Promise((resolve) => {
      const member = this.#deps.group.owner(whole)
      if (member?.standing.use !== 'used' || member.standing.refuses !== null) {
        resolve(undefined)
        return
      }
      this.#ask(member, 'set', [whole, token, 'PX', milliseconds(ttl), 'NX'], true, (answer, error) => {
        // It may have been taken all the same: nobody would give it back.
        if (error instanceof LateError) this.#unlock(member, whole, token)
        resolve(error ? undefined : answer !== null)
      })
    })
  }

  unlock(key: string, token: string): Promise<void> {
    const whole = this.#deps.prefix + key
    return new Promise((resolve) => {
      const member = this.#deps.group.owner(whole)
      if (member?.standing.use !== 'used') {
        resolve()
        return
      }
      this.#ask(member, 'eval', [UNLOCK, '1', whole, token], true, () => resolve())
    })
  }

  /** Silence counts as that of a read: nothing of the cache depends on whether the script ran. */
  evaluate(script: string, key: string, args: readonly string[]): Promise<Answer<unknown>> {
    return new Promise((resolve) => {
      const member = this.#deps.group.owner(key)
      if (member?.standing.use !== 'used' || member.standing.refuses !== null) {
        resolve(undefined)
        return
      }
      this.#ask(member, 'eval', [script, '1', key, ...args], false, (answer, error) =>
        resolve(error ? undefined : answer),
      )
    })
  }

  #unlock(member: Member, whole: string, token: string): void {
    member.wire.ask('eval', UNLOCK, '1', whole, token).catch(() => undefined)
  }

  #get(whole: string, done: (entry: Answer<Buffer | null>) => void): void {
    const { group, pending } = this.#deps
    const member = group.owner(whole)
    if (member?.standing.use !== 'used' || pending.has(whole)) {
      done(undefined)
      return
    }
    this.#ask(member, 'get', [whole], false, (answer, error) =>
      done(error ? undefined : (answer as Buffer | null)),
    )
  }

  #askReads(): void {
    const reads = this.#reads
    this.#reads = []
    for (let from = 0; from < reads.length; from += MOST_TOGETHER) {
      const some = reads.slice(from, from + MOST_TOGETHER)
      const [first] = some as [Read]
      if (some.length === 1) this.#get(first.whole, first.resolve)
      else {
        this.#mget(
          some.map(({ whole }) => whole),
          (entries) => {
            for (const [at, { resolve }] of some.entries()) resolve(entries[at])
          },
        )
      }
    }
  }

  /** At the one node that has every key. */
  #mget(wholes: string[], done: (entries: Answer<Buffer | null>[]) => void): void {
    const { group, pending } = this.#deps
    const answers = new Array<Answer<Buffer | null>>(wholes.length).fill(undefined)
    const member = group.owner('')
    const asked = pending.size === 0 ? wholes : wholes.filter((whole) => !pending.has(whole))
    if (asked.length === 0 || member?.standing.use !== 'used') {
      done(answers)
      return
    }
    this.#ask(member, 'mget', asked, false, (answer, error) => {
      if (error) {
        done(answers)
        return
      }
      const entries = answer as (Buffer | null)[]
      if (asked === wholes) {
        done(entries)
        return
      }
      let next = 0
      for (const [at, whole] of wholes.entries()) if (whole === asked[next]) answers[at] = entries[next++]
      done(answers)
    })
  }

  #set(key: string, entry: Buffer, ttl: number, done: (taken: boolean) => void): void {
    const whole = this.#deps.prefix + key
    const member = this.#deps.group.owner(whole)
    if (member && member.standing.refuses !== null) {
      this.#pend(whole)
      done(false)
      return
    }
    this.#write(whole, 'set', [whole, entry, 'PX', milliseconds(ttl)], done)
  }

  #write(whole: string, name: string, args: Args, done: (taken: boolean) => void): void {
    const { group, pending, recent, order } = this.#deps
    const member = group.owner(whole)
    if (member?.standing.use !== 'used') {
      this.#pend(whole)
      done(false)
      return
    }
    const at = order()
    this.#ask(member, name, args, true, (_, error, now) => {
      if (error) this.#pend(whole, at)
      else {
        recent.add(whole, now)
        if (pending.size > 0) pending.taken(whole, at)
      }
      done(error === undefined)
    })
  }

  #pend(whole: string, at = this.#deps.order()): void {
    const { group, pending } = this.#deps
    const owner = group.owner(whole)
    if (owner) owner.owes = true
    if (!pending.add(whole, at)) group.distrust(whole)
  }

  #ask(
    member: Member,
    name: string,
    args: Args,
    write: boolean,
    done: (answer: unknown, error: Error | undefined, now: number) => void,
    redirected = false,
  ): void {
    const span = this.#span(member, name, args)
    member.wire.send(name, args, (answer, error, asked) => {
      const now = performance.now()
      span?.end(error && reasonOf(error))
      if (error === undefined) {
        member.answeredAt = now
        if (member.standing.silent > 0) this.#deps.group.apply(member, { type: 'answered' })
        if (write) this.figures.writes.record(now - asked)
        else this.figures.reads.record(now - asked)
        done(answer, undefined, now)
        return
      }
      const other = redirected ? undefined : this.#redirect(member, error)
      if (other) {
        this.#ask(other, name, args, write, done, true)
        return
      }
      this.figures.errors++
      this.#failed(member, error, write)
      done(undefined, error, now)
    })
  }

  /** Keys and values are nobody's business, how many there are is. */
  #span({ address }: Member, name: string, args: Args): OpenSpan | undefined {
    const operation = name.toUpperCase()
    return this.#deps.trace?.begin({
      name: operation,
      kind: 'client',
      attributes: {
        'db.system.name': 'redis',
        'db.operation.name': operation,
        'db.operation.batch.size': name === 'mget' && args.length > 1 ? args.length : undefined,
        'server.address': address.host,
        'server.port': address.port,
      },
    })
  }

  /** Where to ask again, once, for a key whose slot moved. */
  #redirect(member: Member, error: Error): Member | undefined {
    const { group } = this.#deps
    const to = 'cluster' in group.place ? redirectionOf(error) : undefined
    if (!to) return undefined
    if (!to.ask) return group.moved(to.slot, to.to)
    const other = group.named(to.to)
    if (other?.standing.use !== 'used' || other === member) return undefined
    other.wire.ask('ASKING').catch(() => undefined)
    return other
  }

  #failed(member: Member, error: Error, write: boolean): void {
    const { group } = this.#deps
    const reason = reasonOf(error)
    if (error instanceof LateError) group.apply(member, { type: 'silent', write, reason })
    else if (error.name !== 'ReplyError') {
      if (error.name !== 'PlainError') group.apply(member, { type: 'lost', reason })
    } else if (/^READONLY/.test(error.message) && !('redis' in group.place)) {
      group.apply(member, { type: 'lost', reason })
    } else if (isRefusal(error)) group.apply(member, { type: 'refused', reason })
    else if (isUnusable(error)) group.apply(member, { type: 'lost', reason })
    else if (redirectionOf(error)) {
      if ('cluster' in group.place) group.rediscover()
      else group.apply(member, { type: 'lost', reason })
    }
  }
}

/** What is asked for each item, in their order, when the last of them is known. */
function all<I, T>(items: readonly I[], ask: (item: I, done: (answer: T) => void) => void): Promise<T[]> {
  return new Promise((resolve) => {
    const answers = new Array<T>(items.length)
    let left = items.length
    if (left === 0) resolve(answers)
    for (const [index, item] of items.entries()) {
      ask(item, (answer) => {
        answers[index] = answer
        if (--left === 0) resolve(answers)
      })
    }
  })
}

function milliseconds(ttl: number): number {
  return Math.max(1, Math.ceil(ttl))
}
