import type { SampleReport } from '@/components/cache/types'
import { formatCount, formatNumber } from '@/components/ui/format'

/** Whether every key was measured: then nothing is an estimate. Keys are drawn with repeats, so counts alone don't tell. */
export function isWhole({ sampled, total, groups }: SampleReport): boolean {
  return sampled >= total && groups.every(({ bytesLow, bytesHigh }) => bytesLow === bytesHigh)
}

export function sampledWords(report: SampleReport): string {
  const all = formatCount(report.total, 'key')
  if (isWhole(report)) return report.total === 1 ? 'The only key was measured.' : `All ${all} were measured.`
  return `${formatNumber(report.sampled)} of about ${all} were drawn at random.`
}
