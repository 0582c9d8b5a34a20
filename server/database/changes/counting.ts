import type { Tables } from '@/db/tables'
import type { MeasuredTime } from './types'

type Row = Tables['indexChanges']['$inferSelect']

/** Counters of a change's statements together, at one moment. */
export interface Reading {
  calls: number
  totalMs: number
}

/** An index shows what it does after so many calls; seldom ones are told after an hour. */
const ENOUGH_CALLS = 20
export const MEASURED_MS = 3_600_000

/** What one writer's new reading makes of the counts since the change. */
export function measured(
  { counted, finishedAt }: Pick<Row, 'counted' | 'finishedAt'>,
  { writer, reading, now }: { writer: string; reading: Reading; now: number },
): { counted: NonNullable<Row['counted']>; after: MeasuredTime | null } {
  const known = counted?.[writer]
  const all = { ...counted, [writer]: { last: reading, since: added(known, reading) } }
  const sums = Object.values(all).map(({ since }) => since)
  const calls = sums.reduce((sum, each) => sum + each.calls, 0)
  const totalMs = sums.reduce((sum, each) => sum + each.totalMs, 0)
  const from = finishedAt ?? now
  const enough = calls >= ENOUGH_CALLS || (calls > 0 && now - from >= MEASURED_MS)
  return { counted: all, after: enough ? { calls, meanMs: totalMs / calls, from, to: now } : null }
}

type Known = NonNullable<Row['counted']>[string]

/** The first reading only begins the count. Counters that fell were reset: all they show is since then. */
function added(known: Known | undefined, now: Reading): Reading {
  if (!known) return { calls: 0, totalMs: 0 }
  const { last, since } = known
  const reset = now.calls < last.calls || now.totalMs < last.totalMs
  const from = reset ? { calls: 0, totalMs: 0 } : last
  return {
    calls: since.calls + now.calls - from.calls,
    totalMs: since.totalMs + now.totalMs - from.totalMs,
  }
}
