'use client'

import { usePathname } from 'next/navigation'
import { useCallback, useMemo } from 'react'
import { formatTime } from '@/components/ui/format'
import { useUrlState } from '@/components/ui/url-state'
import { useZone } from '@/components/ui/zone'
import { type RangeKey, rangeOf, windowOf } from './ranges'

export { RANGES, type RangeKey } from './ranges'

const HOUR_MS = 3_600_000

/** How far back single samples are kept (server/system/history.ts); beyond are roll-ups, for 30 days. */
export const SAMPLES_MS = 900_000

/** Where a list stands belongs to its window: another one begins at its latest entry. */
const FIRST_PAGE = { before: null, after: null }

/**
 * The window that charts, queries and events share. It is in the URL: `range=5m` follows the present, `from` and
 * `to` (UTC ms) are a brushed window that stands still.
 */
export function useTimeRange() {
  const { params, change } = useUrlState()
  const zone = useZone()
  const pathname = usePathname()
  const range = rangeOf(params.get('range'), pathname)
  const brushed = windowOf(params)

  const choose = useCallback(
    (key: RangeKey) =>
      change({
        range: key === rangeOf(null, pathname).key ? null : key,
        from: null,
        to: null,
        ...FIRST_PAGE,
      }),
    [change, pathname],
  )
  const brush = useCallback(
    (window: { from: number; to: number } | null) =>
      change({
        from: window ? String(Math.round(window.from)) : null,
        to: window ? String(Math.round(window.to)) : null,
        ...FIRST_PAGE,
      }),
    [change],
  )
  const start = brushed?.from
  const end = brushed?.to
  const label = start !== undefined && end !== undefined ? windowLabel(start, end, zone) : range.label
  return useMemo(
    () => ({
      /** The chosen span ending now; in force while nothing is brushed. */
      range,
      /** The brushed window in ms, or null. */
      window: start !== undefined && end !== undefined ? { from: start, to: end } : null,
      label,
      choose,
      brush,
    }),
    [range, start, end, label, choose, brush],
  )
}

function windowLabel(from: number, to: number, zone: string): string {
  const sameDay = formatTime(from, zone, { only: 'date' }) === formatTime(to, zone, { only: 'date' })
  const end = (at: number) =>
    formatTime(at, zone, { ...(sameDay && { only: 'time' }), seconds: to - from < HOUR_MS })
  return `${end(from)} – ${end(to)}`
}
