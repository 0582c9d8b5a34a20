import type { Stats } from '@/components/cache/types'
import { LiveStat } from '@/components/live/live-stat'
import type { Sample } from '@/components/live/types'
import { bytesParts, formatBytes, formatDuration, formatNumber, formatShare } from '@/components/ui/format'
import { Stat, StatRow } from '@/components/ui/stat'

/** The cache at this moment. */
export function Now({ samples, stats }: { samples: readonly Sample[]; stats: Stats | undefined }) {
  return (
    <StatRow label="Now" columns={6}>
      <LiveStat samples={samples} label="Hit ratio, 1 min" metric="holdfast_cache_hit_ratio" max={1} />
      <LiveStat samples={samples} label="Reads" metric="holdfast_cache_reads_per_second" unit="/s" />
      <LiveStat
        samples={samples}
        label="Redis reads, p99"
        metric="holdfast_cache_redis_read_p99_seconds"
        note={stats && redisNote(stats)}
      />
      <Stat
        label="Saved by compression"
        value={stats && (stats.rawBytes === 0 ? null : Math.max(stats.rawBytes - stats.storedBytes, 0))}
        format={bytesParts}
        metric="holdfast_cache_raw_bytes_total - holdfast_cache_stored_bytes_total"
        note={stats && savedNote(stats)}
      />
      <LiveStat
        samples={samples}
        label="Local level"
        metric="holdfast_cache_memory_bytes"
        max={stats?.memoryMaxBytes}
        note={stats ? `of ${formatBytes(stats.memoryMaxBytes)}` : undefined}
      />
      <LiveStat
        samples={samples}
        label="Evictions"
        metric="holdfast_cache_evictions_per_second"
        unit="/s"
        note={
          stats ? `${formatNumber(stats.evictions + stats.pressureEvictions)} since the start` : undefined
        }
      />
    </StatRow>
  )
}

function redisNote({ mode, latency: { reads } }: Stats): string {
  if (mode === 'memory') return 'no Redis is configured'
  return reads.p50 === null ? 'no read yet' : `p50 ${formatDuration(reads.p50)} since the start`
}

function savedNote({ rawBytes, storedBytes }: Stats): string {
  if (rawBytes === 0) return 'no value was encoded yet'
  // Each entry has a head of its own.
  if (storedBytes >= rawBytes) return 'values are too small for it'
  return `${formatShare(1 - storedBytes / rawBytes)} of ${formatBytes(rawBytes)}`
}
