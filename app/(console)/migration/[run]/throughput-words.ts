import { niceMax } from '@/components/charts/geometry'
import type { Progress } from '@/components/migration/types'
import { formatDuration } from '@/components/ui/format'

const MEBIBYTE = 2 ** 20

/** The speeds of a transfer as charts take them; null where there are fewer than two points in time. */
export function throughputOf(speeds: Progress['speeds']) {
  const { at: times, bytesPerSecond: bytes, rowsPerSecond: rows, everyMs } = speeds ?? {}
  const [first, second] = times ?? []
  if (!times || !bytes || !rows || !everyMs || first === undefined || second === undefined) return null
  // The scale of bytes ends with a round number of their unit.
  const most = niceMax([{ key: '', label: '', values: bytes.map((value) => value / MEBIBYTE) }]) * MEBIBYTE
  return { times, rows, bytes, most, everyMs, from: first, to: times.at(-1) ?? second }
}

/** `Between 8,000 /s and 15,000 /s, 12,000 /s in the mean; a point each 2 s.` */
export function throughputSentence(
  values: readonly number[],
  everyMs: number,
  format: (value: number) => string,
): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const [least, greatest] = [Math.min(...values), Math.max(...values)].map(format)
  const range = least === greatest ? `${least} throughout` : `Between ${least} and ${greatest}`
  return `${range}, ${format(mean)} in the mean; a point each ${formatDuration(everyMs)}.`
}
