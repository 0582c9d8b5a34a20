const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

export const RANGES = [
  { key: '1m', label: 'Last minute', ms: MINUTE_MS },
  { key: '5m', label: 'Last 5 minutes', ms: 5 * MINUTE_MS },
  { key: '15m', label: 'Last 15 minutes', ms: 15 * MINUTE_MS },
  { key: '1h', label: 'Last hour', ms: HOUR_MS },
  { key: '6h', label: 'Last 6 hours', ms: 6 * HOUR_MS },
  { key: '24h', label: 'Last 24 hours', ms: DAY_MS },
  { key: '7d', label: 'Last 7 days', ms: 7 * DAY_MS },
  { key: '30d', label: 'Last 30 days', ms: 30 * DAY_MS },
] as const

export type RangeKey = (typeof RANGES)[number]['key']
export type Range = (typeof RANGES)[number]
export type Window = { from: number; to: number }

/** Where a quarter of an hour says little, a page begins with more. */
const OWN: Record<string, RangeKey> = { '/security': '24h', '/security/activity': '7d' }

/** The range of a page whose address names none. */
export function rangeOf(key: string | null, pathname: string): Range {
  const named = RANGES.find((range) => range.key === key)
  return named ?? (RANGES.find((range) => range.key === (OWN[pathname] ?? '15m')) as Range)
}

/** The brushed window of an address, `from` and `to` in UTC ms; null without one. */
export function windowOf(params: Pick<URLSearchParams, 'get'>): Window | null {
  const from = instant(params.get('from'))
  const to = instant(params.get('to'))
  return from !== undefined && to !== undefined && from < to ? { from, to } : null
}

function instant(value: string | null): number | undefined {
  return value !== null && /^\d{12,14}$/.test(value) ? Number(value) : undefined
}
