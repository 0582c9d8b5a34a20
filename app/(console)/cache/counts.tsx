import type { Stats } from '@/components/cache/types'
import { formatBytes, formatNumber, formatShare } from '@/components/ui/format'
import { KeyValue, Section } from '@/components/ui/text'

/** What all namespaces together have counted. */
export function Counts({ stats }: { stats: Stats }) {
  const asked = stats.hits + stats.misses
  return (
    <Section title="All namespaces" note="since the start">
      <KeyValue
        items={[
          {
            label: 'Hits · misses',
            value: `${formatNumber(stats.hits)} · ${formatNumber(stats.misses)} (${formatShare(asked === 0 ? null : stats.hits / asked)} hits)`,
          },
          { label: 'Hits of a stale value', value: formatNumber(stats.staleHits) },
          {
            label: 'Values set · deleted',
            value: `${formatNumber(stats.sets)} · ${formatNumber(stats.deletes)}`,
          },
          {
            label: 'Bytes before · after compression',
            value: `${formatBytes(stats.rawBytes)} · ${formatBytes(stats.storedBytes)}`,
          },
          { label: 'Values that were compressed', value: formatNumber(stats.compressedValues) },
        ]}
      />
    </Section>
  )
}
