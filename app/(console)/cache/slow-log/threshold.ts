import { formatFineDuration } from '@/components/cache/fine-duration'
import type { SlowLogReport } from '@/components/cache/types'
import { formatCount } from '@/components/ui/format'

/** What Redis notes, in a sentence. Null settings: it doesn't tell them. */
export function thresholdWords({ threshold, length }: Pick<SlowLogReport, 'threshold' | 'length'>): string {
  if (threshold === null) return 'Redis does not tell from which time on it notes a command.'
  if (threshold < 0) return 'Redis notes no command: slowlog-log-slower-than is below zero.'
  if (length === 0) return 'Redis keeps no command: slowlog-max-len is zero.'
  const what =
    threshold === 0
      ? 'Every command is noted'
      : `Commands that took longer than ${formatMicroseconds(threshold)} are noted`
  return length === null ? `${what}.` : `${what}; each node keeps the last ${formatCount(length, 'command')}.`
}

/** Microseconds as people say them. */
export const formatMicroseconds = (microseconds: number) => formatFineDuration(microseconds / 1000)
