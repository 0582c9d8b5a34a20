'use client'

import clsx from 'clsx'
import type { ReactNode } from 'react'
import { formatDuration, formatNumber, isoTime, MISSING, NONE, type Parts, type Reading } from './format'
import { Link } from './link'
import { useNow } from './now'
import { StatusMark } from './status'

/** A live value older than this says so. */
const STALE_MS = 5_000

export type StatProps = {
  label: string
  /** A number (written by `format`, or plainly), or ready parts/text. 0, null and undefined look different. */
  value: Reading | string
  /** e.g. `bytesParts`, `durationParts`. */
  format?: (value: Reading) => Parts
  unit?: string
  /** The metric's name as in /api/metrics; shown in the title with the age. */
  metric?: string
  /** When it was measured, ms. Older than 5 s is marked on the page. */
  at?: Reading
  /** One short line under the figure: a limit, a share, what it is made of. */
  note?: ReactNode
  tone?: 'warn' | 'bad'
  /** A link to the page that explains the number. */
  href?: string
  /** The pointer came over the figure (true) or left it: a live value stands still meanwhile. */
  onHold?: (held: boolean) => void
  /** A sparkline, drawn beside the figure where there is room. */
  children?: ReactNode
}

/** One figure of the ledger, to be placed in a StatRow. */
export function Stat({
  label,
  value,
  format,
  unit,
  metric,
  at,
  note,
  tone,
  href,
  onHold,
  children,
}: StatProps) {
  const now = useNow()
  const age = typeof at === 'number' ? Math.max(0, now - at) : undefined
  const stale = age !== undefined && age > STALE_MS
  const parts: Parts =
    typeof value === 'string' ? { figure: value } : format ? format(value) : { figure: formatNumber(value) }
  const absent = parts.figure === NONE || parts.figure === MISSING
  const title = [
    metric,
    typeof at === 'number' ? isoTime(at) : undefined,
    age === undefined ? undefined : `${formatDuration(Math.round(age / 1000) * 1000)} old`,
  ]
    .filter(Boolean)
    .join(' · ')
  return (
    <div
      className="flex min-w-0 flex-col px-4 py-3"
      title={title || undefined}
      onPointerEnter={onHold && (() => onHold(true))}
      onPointerLeave={onHold && (() => onHold(false))}
    >
      <dt className="text-note text-muted">
        {href ? (
          <Link
            href={href}
            className="underline decoration-border underline-offset-4 hover:text-text hover:decoration-current"
          >
            {label}
          </Link>
        ) : (
          label
        )}
      </dt>
      <dd className="mt-1 flex items-end justify-between gap-2">
        <span
          className={clsx(
            'flex min-w-0 flex-wrap items-baseline gap-x-1.5 tabular-nums',
            absent ? 'text-muted' : tone === 'bad' ? 'text-bad' : tone === 'warn' ? 'text-warn' : 'text-text',
          )}
        >
          {tone ? <StatusMark kind={tone} className="self-center" /> : null}
          {absent ? (
            <Absence figure={parts.figure} />
          ) : (
            <span className="text-figure font-light tracking-tight">{parts.figure}</span>
          )}
          {absent || !(unit ?? parts.unit) ? null : (
            <span className="text-body text-muted">{unit ?? parts.unit}</span>
          )}
        </span>
        {children ? <span className="max-sm:hidden">{children}</span> : null}
      </dd>
      <dd className="mt-0.5 min-h-4 text-note text-muted">
        {stale ? (
          <span className="text-warn">{formatDuration(Math.round(age / 1000) * 1000)} old</span>
        ) : (
          note
        )}
      </dd>
    </div>
  )
}

/** A value its source doesn't have is a small word; a reading that never came is a hatched slot. */
function Absence({ figure }: { figure: string }) {
  if (figure === NONE) return <span className="text-lead leading-8">not available</span>
  return (
    <span className="hatched inline-block h-6 w-12 self-center border border-border">
      <span className="sr-only">no reading yet</span>
    </span>
  )
}

/** Figures side by side between two rules: 2 columns at 320 px, up to `columns` on a desk. */
export function StatRow({
  label,
  columns = 4,
  children,
}: {
  label: string
  columns?: 2 | 3 | 4 | 5 | 6
  children: ReactNode
}) {
  const wide = {
    2: 'lg:grid-cols-2',
    3: 'lg:grid-cols-3',
    4: 'lg:grid-cols-4',
    5: 'lg:grid-cols-5',
    6: 'lg:grid-cols-6',
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset groups controls; a section would be a landmark a row
    <div role="group" aria-label={label} className="overflow-hidden border-y border-border">
      <dl
        className={clsx(
          '-mt-px -ml-px grid grid-cols-2 max-sm:[&>:last-child:nth-child(odd)]:col-span-2 sm:grid-cols-3 *:border-t *:border-l *:border-border',
          wide[columns],
        )}
      >
        {children}
      </dl>
    </div>
  )
}
