'use client'

import { useCallback, useMemo } from 'react'
import { formatTime } from '@/components/ui/format'
import { useUrlState } from '@/components/ui/url-state'
import { useZone } from '@/components/ui/zone'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** How far back single samples are kept (server/system/history.ts); beyond are roll-ups, for 30 days. */
export const SAMPLES_MS = 15 * MINUTE_MS

export const RANGES = [
  { key: '1m', label: 'Last minute', ms: MINUTE_MS },
  { key: '5m', label: 'Last 5 minutes', ms: 5 * MINUTE_MS },
  { key: '15m', label: 'Last 15 minutes', ms: SAMPLES_MS },
  { key: '1h', label: 'Last hour', ms: HOUR_MS },
  { key: '6h', label: 'Last 6 hours', ms: 6 * HOUR_MS },
  { key: '24h', label: 'Last 24 hours', ms: DAY_MS },
  { key: '7d', label: 'Last 7 days', ms: 7 * DAY_MS },
  { key: '30d', label: 'Last 30 days', ms: 30 * DAY_MS },
] as const

export type RangeKey = (typeof RANGES)[number]['key']

const FALLBACK = RANGES[2]

/**
 * The window that charts, queries and events share. It is in the URL: `range=5m` follows the present, `from` and
 * `to` (UTC ms) are a brushed window that stands still.
 */
export function useTimeRange() {
  const { params, change } = useUrlState()
  const zone = useZone()
  const from = instant(params.get('from'))
  const to = instant(params.get('to'))
  const range = RANGES.find((each) => each.key === params.get('range')) ?? FALLBACK
  const brushed = from !== undefined && to !== undefined && from < to ? { from, to } : null

  const choose = useCallback(
    (key: RangeKey) => change({ range: key === FALLBACK.key ? null : key, from: null, to: null }),
    [change],
  )
  const brush = useCallback(
    (window: { from: number; to: number } | null) =>
      change({
        from: window ? String(Math.round(window.from)) : null,
        to: window ? String(Math.round(window.to)) : null,
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

function instant(value: string | null): number | undefined {
  return value !== null && /^\d{12,14}$/.test(value) ? Number(value) : undefined
}

function windowLabel(from: number, to: number, zone: string): string {
  const sameDay = formatTime(from, zone, { only: 'date' }) === formatTime(to, zone, { only: 'date' })
  const end = (at: number) =>
    formatTime(at, zone, { ...(sameDay && { only: 'time' }), seconds: to - from < HOUR_MS })
  return `${end(from)} – ${end(to)}`
}
