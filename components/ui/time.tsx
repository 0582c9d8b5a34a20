'use client'

import { formatRelative, formatTime, isoTime, MISSING, NONE, type Reading, type TimeOptions } from './format'
import { useNow } from './now'
import { useZone } from './zone'

/** A point in time in the console's zone; its title carries the zone and the ISO time. */
export function Time({ at, ...options }: { at: Reading } & TimeOptions) {
  const zone = useZone()
  if (typeof at !== 'number') return <span className="text-muted">{at === null ? NONE : MISSING}</span>
  return (
    <time dateTime={isoTime(at)} title={`${isoTime(at)} · shown in ${zone}`} className="whitespace-nowrap">
      {formatTime(at, zone, options)}
    </time>
  )
}

/** `Read 3 s ago.`, the end of a text. As wide whatever it says: a line that breaks with it would move the page. */
export function ReadAt({ at }: { at: Reading }) {
  return (
    <span className="inline-block min-w-28 whitespace-nowrap">
      Read <RelativeTime at={at} />.
    </span>
  )
}

/** `3 min ago`, kept up to date; carries the ISO time. */
export function RelativeTime({ at }: { at: Reading }) {
  const zone = useZone()
  const now = useNow()
  if (typeof at !== 'number') return <span className="text-muted">{at === null ? NONE : MISSING}</span>
  return (
    <time
      dateTime={isoTime(at)}
      title={`${isoTime(at)} · ${formatTime(at, zone, { withZone: true })}`}
      className="whitespace-nowrap"
    >
      {formatRelative(at, now)}
    </time>
  )
}
