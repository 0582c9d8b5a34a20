import type { Caller } from '@/server/audit'
import type { SessionInfo } from '../types'

/** So many calls in so long. */
export interface Rate {
  most: number
  windowMs: number
}

/** `account` stands for the attempt counters in the store, which other code claims. */
export type Layer = 'address' | 'endpoint' | 'user' | 'account'

export interface LimitsConfig {
  address: Rate | null
  user: Rate | null
  /** By procedure or route; what is not named has the default. */
  endpoints: Record<string, Rate | null>
  blockAfter: Rate | null
  blockDurationsMs: readonly number[]
  /** What the keys of counters in Redis begin with. */
  prefix: string
}

/** Counters that all instances share; see server/cache/redis. Undefined: no answer. */
export interface SharedCounters {
  evaluate(script: string, key: string, args: readonly string[]): Promise<unknown>
}

/** One call, before anything is done for it. */
export interface Asking {
  /** The procedure or route. */
  endpoint: string
  session: SessionInfo | null
  by: Caller
  /** Another site made the browser ask: its owner is not blocked for that. */
  foreign: boolean
}

/** A call that was refused. */
export interface Hit {
  layer: Layer
  endpoint: string
  /** Who is limited: a network, a user's id, an API key's id. */
  who: string
  /** Such as 30/1m. */
  limit: string
  /** UTC milliseconds at which the limit ends. */
  until: number
}

/** What is limited now. */
export interface Limited extends Hit {
  hits: number
}

export interface Blocked {
  blockId: string
  network: string
  /** UTC milliseconds; null: until somebody lifts it. */
  until: number | null
}
