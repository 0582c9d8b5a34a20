import type { Series } from '@/components/charts/geometry'
import { formatCount, formatDuration, formatNumber, formatTime } from '@/components/ui/format'
import type { RouterOutputs } from '@/server/routers/_app'

export type EventCounts = RouterOutputs['security']['events']['histogram']

const HOUR_MS = 3_600_000

/** The question for the last 24 hours; it stays the same for an hour, so that the page and its server ask alike. */
export const lastDay = (now: number) =>
  ({ from: Math.floor(now / HOUR_MS) * HOUR_MS - 24 * HOUR_MS, by: 'severity', buckets: 48 }) as const

/** A series of a chart and the counted ones that it adds up. */
export interface Group {
  key: string
  label: string
  of: (name: string) => boolean
}

const is =
  (...names: string[]) =>
  (name: string) =>
    names.includes(name)

/** At most four, which is what a chart tells apart: what is high and what is critical asks for the same. */
export const groups: Record<'outcome' | 'severity', readonly Group[]> = {
  outcome: [
    { key: 'success', label: 'Success', of: is('success') },
    { key: 'failure', label: 'Failure', of: is('failure') },
    { key: 'denied', label: 'Denied', of: is('denied') },
  ],
  severity: [
    { key: 'info', label: 'Info', of: is('info') },
    { key: 'low', label: 'Low', of: is('low') },
    { key: 'medium', label: 'Medium', of: is('medium') },
    { key: 'high', label: 'High or critical', of: is('high', 'critical') },
  ],
}

/** The counts as a chart takes them, added up by groups. */
export function countsOf(
  { series, buckets }: EventCounts,
  by: 'outcome' | 'severity' | readonly Group[],
): { times: number[]; series: Series[] } {
  const wanted = typeof by === 'string' ? groups[by] : by
  return {
    times: buckets.map(({ at }) => at),
    series: wanted.map(({ key, label, of }) => {
      const places = series.flatMap((name, at) => (of(name) ? [at] : []))
      return {
        key,
        label,
        values: buckets.map(({ counts }) => places.reduce((sum, at) => sum + (counts[at] ?? 0), 0)),
      }
    }),
  }
}

/** What a histogram shows, in a sentence: how many, of what, and when the most. */
export function sentenceOf(
  { total, buckets, stepMs, from, to }: EventCounts,
  series: readonly Series[],
  zone: string,
): string {
  const span = `between ${formatTime(from, zone, { seconds: false })} and ${formatTime(to, zone, { seconds: false })} (${zone})`
  const sums = series.map(({ label, values }) => ({
    label,
    sum: values.reduce<number>((sum, value) => sum + (value ?? 0), 0),
  }))
  const shown = sums.reduce((all, { sum }) => all + sum, 0)
  if (total === 0 || shown === 0) return `No event ${span}.`
  const parts = sums
    .filter(({ sum }) => sum > 0)
    .map(({ label, sum }) => `${formatNumber(sum)} ${label.toLowerCase()}`)
  const stacks = buckets.map((_, at) => series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0))
  const most = Math.max(...stacks)
  const peak = buckets[stacks.indexOf(most)]?.at ?? from
  return `${formatCount(shown, 'event')} ${span}: ${parts.join(', ')}. Each bar is ${formatDuration(stepMs)}; the highest holds ${formatNumber(most)}, from ${formatTime(peak, zone, { seconds: stepMs < 60_000 })}.`
}
