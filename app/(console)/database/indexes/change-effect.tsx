'use client'

import { factorOf } from '@/components/database/cost'
import type { IndexChange } from '@/components/database/types'
import { formatDuration, formatNumber } from '@/components/ui/format'
import { useNow } from '@/components/ui/now'
import { Status } from '@/components/ui/status'
import { changeWords, effectOf } from './words'

/** Under this, a difference is noise. */
const SAME = 1.1

/** The state of a change, with the time it has been at it, or what went wrong. */
export function ChangeState({ of: { state, requestedAt, error } }: { of: IndexChange }) {
  const now = useNow()
  const { kind, word } = changeWords[state]
  const since = state === 'running' ? ` for ${formatDuration(wholeSeconds(now - requestedAt))}` : ''
  return (
    <span className="block">
      <Status kind={kind}>{`${word}${since}`}</Status>
      {error ? <span className="block min-w-40 text-note text-bad">{error}</span> : null}
    </span>
  )
}

const wholeSeconds = (ms: number) => Math.max(0, Math.round(ms / 1000) * 1000)

/** Mean time of one stretch with the calls that it is the mean of. */
export function Measured({ of }: { of: IndexChange['before'] }) {
  if (!of) return <span className="text-muted">not measured</span>
  return (
    <span className="block">
      {formatDuration(of.meanMs)}
      <span className="block text-note text-muted">{formatNumber(of.calls)} calls</span>
    </span>
  )
}

/** How much faster or slower its statements became, measured. */
export function Effect({ of }: { of: IndexChange }) {
  const { before, after, state } = of
  if (state === 'running' || state === 'failed') return null
  const factor = effectOf(of)
  if (factor === null || !before || !after) {
    if (of.fingerprints.length === 0) return <span className="text-muted">no statement to measure</span>
    return (
      <span className="text-muted">
        {before === null
          ? 'no time from before'
          : state === 'applied'
            ? 'waits for more calls'
            : 'not measured'}
      </span>
    )
  }
  if (factor >= SAME) return <Status kind="ok">{factorOf(before.meanMs, after.meanMs)} faster</Status>
  if (factor <= 1 / SAME) return <Status kind="warn">{factorOf(after.meanMs, before.meanMs)} slower</Status>
  return <Status kind="off">No difference</Status>
}
