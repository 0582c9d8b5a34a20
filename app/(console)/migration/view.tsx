'use client'

import { useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useMemo } from 'react'
import { useLiveEvent } from '@/components/live/live'
import type { RunSummary } from '@/components/migration/types'
import { useCan } from '@/components/migration/use-can'
import { placeOf, stateWords } from '@/components/migration/words'
import { usePaletteEntries } from '@/components/shell/palette'
import { useTRPC } from '@/components/trpc/trpc'
import { buttonClass } from '@/components/ui/button-class'
import { Empty } from '@/components/ui/empty'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { formatDuration, formatNumber, formatShare } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { Mono, PageHeader, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { SourcesSection } from './sources'
import { TargetsSection } from './targets'

export function MigrationView() {
  const can = useCan()
  return (
    <>
      <PageHeader
        title="Migration"
        lead="From SQLite to PostgreSQL: checked, copied, compared, switched over."
        actions={
          can.manage ? (
            <Link href="/migration/new" className={buttonClass('primary')}>
              New migration
            </Link>
          ) : null
        }
      />
      <TileBoundary what="Runs">
        <History canStart={can.manage} />
      </TileBoundary>
      <TileBoundary what="Sources">
        <SourcesSection />
      </TileBoundary>
      <TileBoundary what="Targets">
        <TargetsSection />
      </TileBoundary>
    </>
  )
}

const columns: Column<RunSummary>[] = [
  {
    key: 'created',
    header: 'Run',
    rowHeader: true,
    className: 'whitespace-nowrap',
    cell: ({ createdAt }) => <Time at={createdAt} />,
  },
  {
    key: 'state',
    header: 'State',
    cell: (run) => {
      const { kind, word } = stateWords[run.state]
      return (
        <span className="whitespace-nowrap">
          <Status kind={kind}>{word}</Status>
          {shareOf(run) ? <span className="ml-2 text-muted tabular-nums">{shareOf(run)}</span> : null}
        </span>
      )
    },
  },
  { key: 'source', header: 'Source', cell: ({ sourceName }) => <Mono>{sourceName}</Mono> },
  {
    key: 'target',
    header: 'Target',
    cell: ({ target }) => (
      <Mono>
        {placeOf(target)} {target.schema}
      </Mono>
    ),
  },
  {
    key: 'rows',
    header: 'Rows',
    numeric: true,
    cell: ({ progress }) => formatNumber(progress?.phases.transfer?.[1] ?? null),
  },
  { key: 'time', header: 'Time', numeric: true, cell: (run) => formatDuration(timeOf(run)) },
]

function shareOf({ state, progress, phase }: RunSummary): string | null {
  if ((state !== 'running' && state !== 'paused') || !progress || !phase) return null
  return `${phase} ${formatShare(progress.total > 0 ? progress.done / progress.total : 0)}`
}

const timeOf = ({ startedAt, endedAt }: RunSummary) =>
  startedAt !== null && endedAt !== null ? endedAt - startedAt : null

const paletteEntry = ({ id, sourceName, target, state }: RunSummary) => ({
  id: `run-${id}`,
  group: 'Runs',
  label: `${sourceName} to ${placeOf(target)}`,
  hint: stateWords[state].word,
  href: `/migration/${id}`,
})

function History({ canStart }: { canStart: boolean }) {
  const trpc = useTRPC()
  const router = useRouter()
  const runs = useQuery(
    trpc.migration.runs.queryOptions(undefined, {
      refetchInterval: ({ state }) =>
        state.data?.some(({ state }) => state === 'running' || state === 'cancelling') ? 2_000 : 15_000,
    }),
  )
  useLiveEvent('migration', ({ runId, news }) => {
    const known = runs.data?.find(({ id }) => id === runId)
    if (known?.state !== (news as { state: string }).state) void runs.refetch()
  })
  usePaletteEntries(useMemo(() => (runs.data ?? []).map(paletteEntry), [runs.data]))
  return (
    <Section title="Runs">
      {runs.error && !runs.data ? (
        <ErrorTile error={runs.error} what="Runs" onRetry={() => runs.refetch()} />
      ) : runs.data ? (
        <Table
          caption="Runs, newest first"
          density="roomy"
          columns={columns}
          rows={runs.data}
          rowKey={({ id }) => id}
          rowTone={({ state }) => (state === 'failed' ? 'bad' : state === 'paused' ? 'warn' : undefined)}
          onOpen={({ id }) => router.push(`/migration/${id}`)}
          empty={
            <Empty
              kind="no-data"
              title="Nothing has been migrated yet"
              action={
                canStart ? (
                  <Link href="/migration/new" className={buttonClass()}>
                    New migration
                  </Link>
                ) : undefined
              }
            >
              A migration is checked and planned first; nothing is written before you start it.
            </Empty>
          }
        />
      ) : (
        <Skeleton className="h-32 w-full" label="Reading the runs" />
      )}
    </Section>
  )
}
