import type { CacheState } from '../types'

/** How one node stands. */
export interface Standing {
  /** `away`: asked nothing but the probe. `probing`: it answered and is put in order before it is used. */
  use: 'used' | 'away' | 'probing'
  /** Silent reads in a row. */
  silent: number
  /** Why it takes no writes while it is used; null when it takes them. */
  refuses: string | null
  /** Why it is away. */
  reason: string | null
}

export type StandingEvent =
  | { type: 'answered' }
  | { type: 'silent'; write: boolean; reason: string }
  | { type: 'lost'; reason: string }
  | { type: 'refused'; reason: string }
  | { type: 'probed' }
  | { type: 'restored'; refuses: string | null }

/** Silent reads in a row after which a node is away. One silent write is enough: who knows whether it came through. */
const PATIENCE = 3

export const connecting: Standing = { use: 'away', silent: 0, refuses: null, reason: 'Connecting.' }

/** The breaker of one node. Answers the same object when nothing changed. */
export function next(now: Standing, event: StandingEvent): Standing {
  switch (event.type) {
    case 'answered':
      return now.silent === 0 ? now : { ...now, silent: 0 }
    case 'silent':
      if (now.use !== 'used') return now
      if (event.write || now.silent + 1 >= PATIENCE) return away(event.reason)
      return { ...now, silent: now.silent + 1 }
    case 'lost':
      return now.use === 'away' && now.reason === event.reason ? now : away(event.reason)
    case 'refused':
      return now.use !== 'used' || now.refuses === event.reason ? now : { ...now, refuses: event.reason }
    case 'probed':
      return now.use === 'away' ? { ...now, use: 'probing' } : now
    case 'restored':
      if (now.use === 'away' || (now.use === 'used' && now.refuses === event.refuses)) return now
      return { use: 'used', silent: 0, refuses: event.refuses, reason: null }
  }
}

function away(reason: string): Standing {
  return { use: 'away', silent: 0, refuses: null, reason }
}

/** The state of the whole, and why it isn't `redis`. Addresses are named where there are several. */
export function overall(
  nodes: readonly { address: string; standing: Standing }[],
  { uncovered, reason }: { uncovered: boolean; reason: string | null },
): { state: CacheState; reason: string | null } {
  const name = (address: string, why: string | null) => (nodes.length > 1 && why ? `${address}: ${why}` : why)
  const wrong = nodes.find(({ standing }) => standing.use !== 'used' || standing.refuses !== null)
  const why = wrong
    ? name(wrong.address, wrong.standing.reason ?? wrong.standing.refuses)
    : (reason ?? (uncovered ? 'A part of the keys has no node.' : null))
  if (nodes.some(({ standing }) => standing.use === 'used')) {
    return wrong || uncovered ? { state: 'degraded', reason: why } : { state: 'redis', reason: null }
  }
  return {
    state: nodes.some(({ standing }) => standing.use === 'probing') ? 'probing' : 'memory',
    reason: why,
  }
}
