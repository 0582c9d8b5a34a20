import { formatDuration, formatNumber, type Reading } from '@/components/ui/format'

/** Milliseconds as everywhere, and microseconds below a tenth of one: `3 µs`, `0.42 ms`, `1.4 s`. */
export function formatFineDuration(ms: Reading): string {
  if (typeof ms !== 'number' || ms <= 0 || ms >= 0.1) return formatDuration(ms)
  return `${formatNumber(ms * 1000, ms < 0.001 ? 1 : 0)} µs`
}
