'use client'

import type { ReactNode } from 'react'
import type { OriginFigures, OutboundPool } from '@/components/cache/outbound-types'
import { Callout } from '@/components/ui/callout'
import { CopyButton } from '@/components/ui/copy-button'
import { Drawer } from '@/components/ui/drawer'
import { Empty } from '@/components/ui/empty'
import { Figure } from '@/components/ui/figure'
import { formatDuration, formatNumber, formatShare } from '@/components/ui/format'
import { KeyValue, type KeyValueItem, Mono } from '@/components/ui/text'
import { RelativeTime, Time } from '@/components/ui/time'
import { Breaker } from './origin-columns'
import { breakerWords, failureWords } from './words'

/** One origin: its breaker, what came back, what failed, and the limits of its pool. */
export function OriginDrawer({
  id,
  origin,
  pool,
  onClose,
}: {
  /** From the address; null when it is closed. */
  id: string | null
  origin: OriginFigures | undefined
  pool: OutboundPool | undefined
  onClose: () => void
}) {
  return (
    <Drawer
      open={id !== null}
      onClose={onClose}
      title={origin ? <Mono>{origin.origin}</Mono> : 'Origin'}
      subtitle={origin ? `pool ${origin.pool}` : undefined}
    >
      {origin ? (
        <>
          <BreakerNote of={origin} pool={pool} />
          <KeyValue items={calls(origin, pool)} />
          <Part title="Answers">
            <KeyValue items={answers(origin)} />
          </Part>
          <Part title="Calls without an answer">
            <KeyValue items={failures(origin)} />
          </Part>
          {origin.lastError ? (
            <Part title="Last error">
              <p className="text-muted">
                <Time at={origin.lastError.at} />
              </p>
              <div className="flex items-start gap-1">
                <p className="min-w-0 flex-1 pt-1 font-mono text-note wrap-anywhere">
                  {origin.lastError.message}
                </p>
                <CopyButton text={origin.lastError.message} label="Copy the error" />
              </div>
            </Part>
          ) : null}
        </>
      ) : (
        <Empty kind="no-match" title="This origin was not called">
          Figures begin with the start of this process.
        </Empty>
      )}
    </Drawer>
  )
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="mt-6">
      <h3 className="mb-2 font-medium">{title}</h3>
      {children}
    </section>
  )
}

function BreakerNote({ of: { breaker, breakerSince }, pool }: { of: OriginFigures; pool?: OutboundPool }) {
  if (breaker === 'closed') return null
  return (
    <div className="mb-4">
      <Callout
        tone={breaker === 'open' ? 'bad' : 'busy'}
        title={breaker === 'open' ? 'The breaker is open' : 'The breaker is half open'}
      >
        Since <RelativeTime at={breakerSince} />: {breakerWords[breaker].meaning}
        {pool && breaker === 'open' ? `, ${formatDuration(pool.breaker.openMs)} after it opened` : ''}.
      </Callout>
    </div>
  )
}

function calls(of: OriginFigures, pool: OutboundPool | undefined): KeyValueItem[] {
  const { connections, latency } = of
  const duration = (value: number | null) => <Figure value={value} format={formatDuration} />
  return [
    {
      label: 'Breaker',
      value: (
        <>
          <Breaker of={of.breaker} /> since <Time at={of.breakerSince} />
        </>
      ),
    },
    { label: 'Calls', value: formatNumber(of.calls) },
    { label: 'Last call', value: <RelativeTime at={of.lastCallAt} /> },
    {
      label: 'Connections open',
      value: `${formatNumber(connections.open)}${pool ? ` of ${formatNumber(pool.connections)}` : ''}`,
    },
    { label: 'Connections in use', value: formatNumber(connections.inUse) },
    {
      label: 'Callers that wait',
      value: `${formatNumber(connections.waiting)}${pool ? `, ${formatNumber(pool.maxWaiting)} may` : ''}`,
    },
    {
      label: 'Time, p50 · p95 · p99',
      value: (
        <>
          {duration(latency.p50)} · {duration(latency.p95)} · {duration(latency.p99)}
        </>
      ),
    },
    {
      label: 'Retries',
      value: `${formatNumber(of.retries)}${pool ? `, ${formatShare(pool.retryBudget)} of calls may be` : ''}`,
    },
    { label: 'Retries that the budget denied', value: formatNumber(of.retriesDenied) },
    { label: 'Answered from the cache', value: formatNumber(of.cacheHits) },
    { label: 'Cached, confirmed by the origin', value: formatNumber(of.cacheRevalidated) },
  ]
}

const answerWords = {
  '2xx': '2xx, done',
  '3xx': '3xx, elsewhere or unchanged',
  '4xx': '4xx, refused by the origin',
  '5xx': '5xx, the origin failed',
}

function answers({ answers }: OriginFigures): KeyValueItem[] {
  return (Object.keys(answerWords) as (keyof typeof answerWords)[]).map((of) => ({
    label: answerWords[of],
    value: formatNumber(answers[of]),
  }))
}

function failures({ failures }: OriginFigures): KeyValueItem[] {
  return (Object.keys(failureWords) as (keyof typeof failureWords)[]).map((reason) => ({
    label: failureWords[reason],
    value: formatNumber(failures[reason]),
  }))
}
