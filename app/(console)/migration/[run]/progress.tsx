'use client'

import type { Run, Progress as RunProgress } from '@/components/migration/types'
import { Empty } from '@/components/ui/empty'
import { TileBoundary } from '@/components/ui/error-tile'
import { formatBytes, formatCount, formatEta, formatNumber, formatRate } from '@/components/ui/format'
import { Progress } from '@/components/ui/progress'
import { Status, type StatusKind } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { Pace } from './pace'
import { Throughput } from './throughput'

type TableRow = RunProgress['tables'][number]

const BARS = [
  { phase: 'transfer', label: 'Transfer', unit: 'row' },
  { phase: 'build', label: 'Build', unit: 'step' },
  { phase: 'validate', label: 'Validate', unit: 'row' },
] as const

const TABLE_STATES: Record<TableRow['state'], { kind: StatusKind; word: string }> = {
  waiting: { kind: 'off', word: 'Waiting' },
  running: { kind: 'busy', word: 'At work' },
  done: { kind: 'ok', word: 'Done' },
}

/** How far the run is: a bar for each phase, and read, written and rejected apart for each table. */
export function ProgressSection({ run }: { run: Run }) {
  const { progress } = run
  const bars = run.purpose === 'compare' ? BARS.filter(({ phase }) => phase === 'validate') : BARS
  return (
    <Section title="Progress">
      {run.purpose === 'migrate' && progress ? (
        <>
          <Pace run={run} progress={progress} />
          <TileBoundary what="Throughput">
            <Throughput run={run} progress={progress} />
          </TileBoundary>
        </>
      ) : null}
      <div className="flex flex-col gap-3">
        {bars.map((bar) => (
          <PhaseBar key={`${run.id} ${bar.phase}`} bar={bar} run={run} />
        ))}
      </div>
      <div className="mt-4">
        <Table
          caption="Progress of each table"
          columns={[
            {
              key: 'table',
              header: 'Table',
              rowHeader: true,
              className: 'whitespace-nowrap',
              cell: ({ table }) => <Mono>{table}</Mono>,
            },
            {
              key: 'state',
              header: 'State',
              cell: ({ state }) => (
                <Status kind={TABLE_STATES[state].kind}>{TABLE_STATES[state].word}</Status>
              ),
            },
            { key: 'total', header: 'Rows', numeric: true, cell: ({ rowsTotal }) => formatNumber(rowsTotal) },
            { key: 'read', header: 'Read', numeric: true, cell: ({ read }) => formatNumber(read) },
            {
              key: 'written',
              header: 'Written',
              numeric: true,
              cell: ({ written }) => formatNumber(written),
            },
            {
              key: 'rejected',
              header: 'Rejected',
              numeric: true,
              cell: ({ rejected }) => (
                <span className={rejected > 0 ? 'text-bad' : undefined}>{formatNumber(rejected)}</span>
              ),
            },
            {
              key: 'compared',
              header: 'Compared',
              numeric: true,
              cell: ({ compared }) => formatNumber(compared),
            },
            { key: 'bytes', header: 'Sent', numeric: true, cell: ({ bytes }) => formatBytes(bytes) },
            {
              key: 'rate',
              header: 'Speed',
              numeric: true,
              cell: ({ rowsPerSecond, state }) => (state === 'running' ? formatRate(rowsPerSecond) : null),
            },
          ]}
          rows={progress?.tables ?? []}
          rowKey={({ table }) => table}
          rowTone={({ rejected }) => (rejected > 0 ? 'bad' : undefined)}
          empty={
            run.state === 'running' ? (
              <Empty kind="no-data" title="The tables are being made" />
            ) : (
              <Empty kind="no-data" title="No table was begun" />
            )
          }
        />
      </div>
    </Section>
  )
}

function PhaseBar({ bar, run }: { bar: (typeof BARS)[number]; run: Run }) {
  const { progress, phase, state } = run
  const [done, total] = progress?.phases[bar.phase] ?? [0, 0]
  const current = phase === bar.phase && progress?.phase === bar.phase
  const over = state === 'completed' || state === 'switched_over'
  const detail = [
    total > 0 ? `${formatNumber(done)} of ${formatCount(total, bar.unit)}` : over ? 'done' : null,
    current && state === 'running' ? speedOf(progress, bar.unit) : null,
  ]
    .filter(Boolean)
    .join(' · ')
  // An empty phase is over when the run is.
  return (
    <Progress
      label={bar.label}
      value={total > 0 ? done : over ? 1 : 0}
      max={total > 0 ? total : 1}
      detail={detail}
    />
  )
}

function speedOf({ perSecond, etaSeconds }: RunProgress, unit: string): string | null {
  const parts = [
    perSecond !== null && perSecond > 0 ? `${formatNumber(perSecond)} ${unit}s/s` : null,
    etaSeconds ? `${formatEta(etaSeconds[0] * 1000, etaSeconds[1] * 1000)} left` : null,
  ].filter(Boolean)
  return parts.length > 0 ? parts.join(' · ') : null
}
