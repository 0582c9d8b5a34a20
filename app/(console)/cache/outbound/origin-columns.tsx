import type { OriginFigures } from '@/components/cache/outbound-types'
import { Figure } from '@/components/ui/figure'
import { formatDuration, formatNumber } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import type { Column } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { breakerWords, failureList, failuresOf } from './words'

/** The breaker's state as shape and word. */
export function Breaker({ of }: { of: OriginFigures['breaker'] }) {
  const { kind, word, meaning } = breakerWords[of]
  return (
    <Status kind={kind} title={meaning}>
      {word}
    </Status>
  )
}

/** What failed stands out where there is any. */
function Failed({ count }: { count: number }) {
  return <span className={count > 0 ? 'font-medium text-bad' : undefined}>{formatNumber(count)}</span>
}

export const originColumns: Column<OriginFigures>[] = [
  {
    key: 'origin',
    header: 'Origin',
    rowHeader: true,
    sortable: true,
    cell: ({ origin, pool }) => (
      <span className="block min-w-40">
        <span className="font-mono text-note wrap-anywhere">{origin}</span>
        <span className="block text-note text-muted">{pool}</span>
      </span>
    ),
  },
  { key: 'breaker', header: 'Breaker', cell: ({ breaker }) => <Breaker of={breaker} /> },
  {
    key: 'error',
    header: 'Last error',
    sortable: true,
    cell: ({ lastError }) =>
      lastError ? (
        <span className="block min-w-28">
          <RelativeTime at={lastError.at} />
          <span className="line-clamp-1 text-note text-muted wrap-anywhere">{lastError.message}</span>
        </span>
      ) : (
        <span className="text-muted">none</span>
      ),
  },
  {
    key: 'calls',
    header: 'Calls',
    numeric: true,
    sortable: true,
    cell: ({ calls }) => formatNumber(calls),
  },
  {
    key: 'answers',
    header: '2xx · 3xx · 4xx · 5xx',
    numeric: true,
    cell: ({ answers }) => (
      <>
        {(['2xx', '3xx', '4xx'] as const).map((of) => (
          <span key={of}>{formatNumber(answers[of])} · </span>
        ))}
        <Failed count={answers['5xx']} />
      </>
    ),
  },
  {
    key: 'failures',
    header: 'Failures',
    numeric: true,
    sortable: true,
    cell: (row) => (
      <>
        <Failed count={failuresOf(row)} />
        <span className="ml-auto block w-28 text-note whitespace-normal text-muted">{failureList(row)}</span>
      </>
    ),
  },
  {
    key: 'retries',
    header: 'Retries · denied',
    numeric: true,
    sortable: true,
    cell: ({ retries, retriesDenied }) => `${formatNumber(retries)} · ${formatNumber(retriesDenied)}`,
  },
  {
    key: 'cached',
    header: 'From cache',
    numeric: true,
    sortable: true,
    cell: ({ cacheHits, cacheRevalidated }) => formatNumber(cacheHits + cacheRevalidated),
  },
  {
    key: 'connections',
    header: 'Open · in use · waiting',
    numeric: true,
    cell: ({ connections: { open, inUse, waiting } }) =>
      `${formatNumber(open)} · ${formatNumber(inUse)} · ${formatNumber(waiting)}`,
  },
  {
    key: 'p99',
    header: 'p50 · p99',
    numeric: true,
    sortable: true,
    cell: ({ latency: { p50, p99 } }) => (
      <>
        <Figure value={p50} format={formatDuration} /> · <Figure value={p99} format={formatDuration} />
      </>
    ),
  },
]
