import { formatFineDuration } from '@/components/cache/fine-duration'
import { NoRedis } from '@/components/cache/redis-only'
import type { Stats } from '@/components/cache/types'
import { MODES, stateWord } from '@/components/cache/words'
import { Figure } from '@/components/ui/figure'
import { formatBytes, formatNumber, formatShare } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import { KeyValue, type KeyValueItem, Mono, Section } from '@/components/ui/text'

/** Both levels side by side: what each has answered, and how fast. */
export function Levels({ stats }: { stats: Stats }) {
  return (
    <div className="grid grid-cols-1 gap-x-8 lg:grid-cols-2">
      <Section title="Local level" note="in this process">
        <KeyValue items={localItems(stats)} />
      </Section>
      <Section title="Redis level" note={stats.mode === 'memory' ? undefined : MODES[stats.mode]}>
        {stats.mode === 'memory' ? <NoRedis /> : <KeyValue items={redisItems(stats)} />}
      </Section>
    </div>
  )
}

function localItems(stats: Stats): KeyValueItem[] {
  const short = stats.memoryMaxBytes < stats.memoryConfiguredBytes
  return [
    { label: 'Answers reads', value: <Serves stats={stats} /> },
    {
      label: 'Hits',
      value: `${formatNumber(stats.localHits)} (${formatShare(stats.hits === 0 ? null : stats.localHits / stats.hits)} of all)`,
    },
    { label: 'Time of a hit, p50 · p99', value: <Times {...stats.latency.local} /> },
    {
      label: 'Entries · bytes',
      value: `${formatNumber(stats.memoryEntries)} · ${formatBytes(stats.memoryBytes)}`,
    },
    {
      label: 'May hold',
      value: short ? (
        <>
          <Status kind="warn">{formatBytes(stats.memoryMaxBytes)}</Status>
          <span className="block text-muted">
            of {formatBytes(stats.memoryConfiguredBytes)}: the process is short of memory.
          </span>
        </>
      ) : (
        formatBytes(stats.memoryMaxBytes)
      ),
    },
    { label: 'Pushed out by the bound', value: formatNumber(stats.evictions) },
    { label: 'Pushed out by shortage of memory', value: formatNumber(stats.pressureEvictions) },
  ]
}

function Serves({ stats: { mode, localServes } }: { stats: Stats }) {
  if (localServes || mode === 'memory') return <Status kind="ok">Yes</Status>
  return (
    <>
      <Status kind="off">No</Status>
      <span className="block text-muted">Not every primary tells of changes now, or it is turned off.</span>
    </>
  )
}

function redisItems(stats: Stats): KeyValueItem[] {
  const { kind, word } = stateWord(stats)
  return [
    { label: 'State', value: <Status kind={kind}>{word}</Status> },
    {
      label: 'Hits',
      value: `${formatNumber(stats.hits - stats.localHits)} (${formatShare(stats.hits === 0 ? null : 1 - stats.localHits / stats.hits)} of all)`,
    },
    { label: 'Time of a read, p50 · p99', value: <Times {...stats.latency.reads} /> },
    { label: 'Time of a write, p50 · p99', value: <Times {...stats.latency.writes} /> },
    { label: 'Calls that failed or were left unanswered', value: formatNumber(stats.errors) },
    { label: 'Calls that memory answered for it', value: formatNumber(stats.fallbacks) },
    { label: 'Keys that wait to be deleted', value: formatNumber(stats.pendingKeys) },
    { label: 'Keys begin with', value: <Mono>{stats.prefix}</Mono> },
  ]
}

function Times({ p50, p99 }: { p50: number | null; p99: number | null }) {
  if (p50 === null) return <span className="text-muted">none measured yet</span>
  return (
    <>
      <Figure value={p50} format={formatFineDuration} /> · <Figure value={p99} format={formatFineDuration} />
    </>
  )
}
