import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import type { Trace } from '@/server/trace'
import type { CacheStateChange } from '../types'
import { Commands } from './commands'
import { accessOf, type Place, placeText } from './connect'
import { openControl } from './control'
import { Deadlines } from './deadlines'
import { Group } from './group'
import { Journal } from './journal'
import { PendingKeys } from './pending'
import { RecentKeys } from './recent'
import { restore } from './restore'
import { overall } from './state'
import { Tracking } from './tracking'
import type { RedisEvents, RedisLevel } from './types'

export type { Place } from './connect'

export interface RedisLevelDeps {
  clock: Clock
  log: Log
  trace?: Trace | undefined
  events: RedisEvents
}

export interface RedisLevelOptions {
  /** What every key begins with. */
  prefix: string
  /** Milliseconds that one call waits for Redis. */
  deadline: number
  /** Where keys that Redis did not surely take are kept over a restart of this process. */
  journalFile?: string | undefined
  /** Whether Redis is to tell of changes that others make (RedisEvents.changed). */
  tracking: boolean
}

const CARE_DEADLINE = 1_000
const KEPT_CHANGES = 50

/** Opens Redis, a cluster or a Sentinel group behind a deadline, and begins to connect. Never throws. */
export function openRedisLevel(deps: RedisLevelDeps, place: Place, options: RedisLevelOptions): RedisLevel {
  const { clock, log, trace, events } = deps
  const { prefix } = options
  const mode = 'redis' in place ? 'single' : 'cluster' in place ? 'cluster' : 'sentinel'
  const deadlines = { calls: new Deadlines(options.deadline), care: new Deadlines(CARE_DEADLINE) }
  const journal =
    options.journalFile === undefined
      ? undefined
      : new Journal({ log, keys: () => pending.keys() }, options.journalFile)
  const pending = new PendingKeys({ journal, emptied: emptyJournal })
  const recent = new RecentKeys()
  let changes = 0
  const order = () => ++changes
  let current: CacheStateChange = { from: 'probing', to: 'probing', reason: 'Connecting.', at: clock.now() }
  const history: CacheStateChange[] = []

  const group: Group = new Group(
    {
      deadlines,
      changed,
      restore: (member) => restore({ group, prefix, pending, recent, order, deleted }, member),
    },
    place,
  )
  const commands = new Commands({ group, prefix, pending, recent, order, trace })
  const tracking = options.tracking
    ? new Tracking({ prefix, access: accessOf(place), events, members: () => group.members })
    : undefined
  const { control, close: closeControl } = openControl({ group, reason: () => current.reason }, mode)
  let closed = false

  /** Copies of such keys would live on: whoever deletes them later finds nothing, and so nobody is told. */
  function deleted(keys: readonly string[] | null): void {
    events.changed(keys)
    if (keys === null) emptyJournal()
  }

  function emptyJournal(): void {
    if (pending.size > 0) return
    journal?.emptied()
    if (group.distrusted) journal?.overflowed()
  }

  function changed(): void {
    if (closed) return
    tracking?.look()
    const { state, reason } = overall(
      group.members.map(({ name, standing }) => ({ address: name, standing })),
      { uncovered: group.uncovered, reason: group.reason },
    )
    if (state === current.to) {
      current = { ...current, reason }
      return
    }
    // Until the first answer, or the first reason why there is none.
    if (state === 'memory' && reason === 'Connecting.') return
    current = { from: current.to, to: state, reason, at: clock.now() }
    history.unshift(current)
    history.length = Math.min(history.length, KEPT_CHANGES)
    tell(log, mode, current)
    events.stateChanged(current)
  }

  const left = journal?.read()
  if (left?.everything) group.distrustAll()
  for (const key of left?.keys ?? []) if (!pending.add(key, order())) group.distrustAll()
  group.start()
  return {
    get state() {
      return current.to
    },
    get tracking() {
      return tracking?.armed ?? false
    },
    get: (key) => commands.get(key),
    mget: (keys) => commands.mget(keys),
    set: (key, entry, ttl) => commands.set(key, entry, ttl),
    mset: (items) => commands.mset(items),
    delete: (keys) => commands.delete(keys),
    lock: (key, token, ttl) => commands.lock(key, token, ttl),
    unlock: (key, token) => commands.unlock(key, token),
    evaluate: (script, key, args) => commands.evaluate(script, key, args),
    figures: () => ({
      mode,
      state: current.to,
      place: placeText(place),
      since: current.at,
      reason: current.reason,
      errors: commands.figures.errors,
      reads: commands.figures.reads.counts(),
      writes: commands.figures.writes.counts(),
      changes: [...history],
      pendingKeys: pending.size,
      tracking: tracking?.armed ?? false,
    }),
    control: () => control,
    close: async () => {
      closed = true
      tracking?.close()
      closeControl()
      group.close()
      deadlines.calls.close()
      deadlines.care.close()
      await journal?.close()
    },
  }
}

function tell(log: Log, mode: string, { to, reason }: CacheStateChange): void {
  if (to === 'redis') log.info({ mode }, 'the cache uses Redis')
  else if (to === 'probing') log.info({ mode, reason }, 'Redis answers again and is put in order')
  else if (to === 'degraded') log.warn({ mode, reason }, 'the cache uses Redis in part')
  else log.warn({ mode, reason }, 'the cache works from memory: Redis is away')
}
