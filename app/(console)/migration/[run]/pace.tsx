'use client'

import { Sparkline } from '@/components/charts/sparkline'
import type { Progress, Run } from '@/components/migration/types'
import { formatBytes, formatCount, formatDuration, formatEta, formatNumber } from '@/components/ui/format'
import { Stat, StatRow } from '@/components/ui/stat'
import { Time } from '@/components/ui/time'

/** The transfer in figures: how much, how fast from its begin to now, how long still. */
export function Pace({ run, progress }: { run: Run; progress: Progress }) {
  const { perSecond, bytesPerSecond, etaSeconds, speeds, tables } = progress
  const moving = run.state === 'running' && run.phase === 'transfer'
  const sum = (key: 'written' | 'rejected' | 'bytes') =>
    tables.reduce((total, table) => total + table[key], 0)
  const busy = tables.filter(({ state }) => state === 'running').length
  const history = speeds?.rowsPerSecond ?? []
  const mean = history.length > 0 ? history.reduce((a, b) => a + b, 0) / history.length : null
  return (
    <div className="mb-4">
      <StatRow label="Pace of the transfer" columns={4}>
        <Stat
          label="Written"
          value={formatNumber(sum('written'))}
          note={`${formatNumber(sum('rejected'))} rejected`}
          tone={sum('rejected') > 0 ? 'warn' : undefined}
        />
        <Stat
          label={moving ? 'Rows per second' : 'Rows per second, mean'}
          value={formatNumber(moving ? perSecond : mean)}
          note={speeds && history.length > 1 ? `a point each ${formatDuration(speeds.everyMs)}` : undefined}
        >
          {history.length > 1 ? <Sparkline values={history} label={speedWords(history)} /> : null}
        </Stat>
        <Stat
          label="Sent"
          value={formatBytes(sum('bytes'))}
          note={moving && bytesPerSecond ? `${formatBytes(bytesPerSecond)}/s` : undefined}
        />
        <Stat
          label="Time left"
          value={moving && etaSeconds ? formatEta(etaSeconds[0] * 1000, etaSeconds[1] * 1000) : 'none'}
          note={moving ? `${busy} of ${tables.length} tables at work` : undefined}
        />
      </StatRow>
      {progress.lag ? <Lag lag={progress.lag} /> : null}
    </div>
  )
}

/** How far the target is behind a source that is written to. */
function Lag({ lag: { keys, appliedAt } }: { lag: NonNullable<Progress['lag']> }) {
  return (
    <p className="mt-2 text-muted">
      {keys === 0
        ? 'Nothing that was written since is left to bring over'
        : `${formatCount(keys, 'written row')} still to be brought over`}
      ; the last were at <Time at={appliedAt} seconds />.
    </p>
  )
}

const speedWords = (history: readonly number[]) =>
  `Speed from the begin to now: ${formatNumber(Math.min(...history))} to ${formatNumber(Math.max(...history))} rows per second, last ${formatNumber(history.at(-1))}`
