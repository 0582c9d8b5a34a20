import type { OriginFigures } from '@/components/cache/outbound-types'
import { formatNumber } from '@/components/ui/format'
import type { StatusKind } from '@/components/ui/status'
import type { Sort } from '@/components/ui/table'

type Failure = keyof OriginFigures['failures']

export const breakerWords: Record<
  OriginFigures['breaker'],
  { kind: StatusKind; word: string; meaning: string }
> = {
  closed: { kind: 'ok', word: 'Closed', meaning: 'calls go through' },
  open: { kind: 'bad', word: 'Open', meaning: 'calls are refused at once, until it tries again' },
  'half-open': {
    kind: 'busy',
    word: 'Half open',
    meaning: 'one call tries whether the origin answers again',
  },
}

export const failureWords: Record<Failure, string> = {
  timeout: 'Timed out',
  connection: 'No connection',
  tooLarge: 'Answer too large',
  refused: 'Refused here',
  other: 'Other',
}

/** Names an origin of a pool in the address. */
export const idOf = ({ pool, origin }: Pick<OriginFigures, 'pool' | 'origin'>) => `${pool} ${origin}`

export const failuresOf = ({ failures }: OriginFigures) =>
  Object.values(failures).reduce((sum, count) => sum + count, 0)

/** Failures by reason, without those that never came. */
export function failureList(origin: OriginFigures): string {
  return (Object.keys(failureWords) as Failure[])
    .filter((reason) => origin.failures[reason] > 0)
    .map((reason) => `${failureWords[reason].toLowerCase()} ${formatNumber(origin.failures[reason])}`)
    .join(', ')
}

/** Whether somebody should look at it. */
export function toneOf(origin: OriginFigures): 'bad' | 'warn' | undefined {
  if (origin.breaker === 'open') return 'bad'
  return origin.breaker === 'half-open' || origin.connections.waiting > 0 ? 'warn' : undefined
}

const figures: Record<string, (origin: OriginFigures) => number | null> = {
  calls: ({ calls }) => calls,
  failures: failuresOf,
  retries: ({ retries }) => retries,
  cached: ({ cacheHits, cacheRevalidated }) => cacheHits + cacheRevalidated,
  p99: ({ latency }) => latency.p99,
  error: ({ lastError }) => lastError?.at ?? null,
}

/** Origins in the asked order, by calls unless another is known; what has no such figure comes last. */
export function sorted(origins: readonly OriginFigures[], { by, direction }: Sort): OriginFigures[] {
  const sign = direction === 'desc' ? -1 : 1
  const byName = (a: OriginFigures, b: OriginFigures) => (idOf(a) < idOf(b) ? -1 : 1)
  if (by === 'origin') return [...origins].sort((a, b) => sign * byName(a, b))
  const figure = (Object.hasOwn(figures, by) && figures[by]) || (({ calls }: OriginFigures) => calls)
  return [...origins].sort((a, b) => {
    const [one, other] = [figure(a), figure(b)]
    if (one === null || other === null) return Number(one === null) - Number(other === null) || byName(a, b)
    return sign * (one - other) || byName(a, b)
  })
}
