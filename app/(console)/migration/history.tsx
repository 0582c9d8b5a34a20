'use client'

import { useQuery } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { useLiveEvent } from '@/components/live/live'
import type { RunSummary } from '@/components/migration/types'
import { placeOf, wordsOf } from '@/components/migration/words'
import { useTRPC } from '@/components/trpc/trpc'
import { buttonClass } from '@/components/ui/button-class'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatCount, formatDuration, formatNumber, formatShare } from '@/components/ui/format'
import { Link } from '@/components/ui/link'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { SelectedActions } from './selected'

/** Every run, newest first; those that are ticked can be compared or deleted. */
export function History({ canManage }: { canManage: boolean }) {
  const trpc = useTRPC()
  const router = useRouter()
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set())
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
  const selected = (runs.data ?? []).filter(({ id }) => ticked.has(id))
  const tick = (id: string) => {
    const next = new Set(ticked)
    if (!next.delete(id)) next.add(id)
    setTicked(next)
  }
  return (
    <Section
      title="Runs"
      actions={
        <SelectedActions
          runs={selected}
          canDelete={canManage}
          onDone={() => {
            setTicked(new Set())
            return runs.refetch()
          }}
        />
      }
    >
      {runs.error && !runs.data ? (
        <ErrorTile error={runs.error} what="Runs" onRetry={() => runs.refetch()} />
      ) : runs.data ? (
        <Table
          caption="Runs, newest first"
          density="roomy"
          columns={[tickColumn(ticked, tick), ...columns]}
          rows={runs.data}
          rowKey={({ id }) => id}
          rowTone={({ state }) => (state === 'failed' ? 'bad' : state === 'paused' ? 'warn' : undefined)}
          onOpen={({ id }) => router.push(`/migration/${id}`)}
          empty={
            <Empty
              kind="no-data"
              title="Nothing has been migrated yet"
              action={
                canManage ? (
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

function tickColumn(ticked: ReadonlySet<string>, tick: (id: string) => void): Column<RunSummary> {
  return {
    key: 'tick',
    header: <span className="sr-only">Select</span>,
    className: 'w-8',
    cell: ({ id, sourceName, createdAt }) => (
      // A click beside the box ticks too, and never opens the row.
      // biome-ignore lint/a11y/useKeyWithClickEvents: the box within takes the keyboard
      // biome-ignore lint/a11y/noStaticElementInteractions: it only keeps the click from the row
      <span className="inline-flex size-6 items-center" onClick={(event) => event.stopPropagation()}>
        <input
          type="checkbox"
          className="size-4 accent-accent"
          aria-label={`Select ${sourceName} of ${new Date(createdAt).toISOString()}`}
          checked={ticked.has(id)}
          onChange={() => tick(id)}
        />
      </span>
    ),
  }
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
      const { kind, word } = wordsOf(run)
      return (
        <span className="whitespace-nowrap">
          <Status kind={kind}>{word}</Status>
          {run.rejected > 0 ? (
            <span className="ml-2 text-warn">{formatCount(run.rejected, 'rejected row')}</span>
          ) : null}
          {shareOf(run) ? <span className="ml-2 text-muted tabular-nums">{shareOf(run)}</span> : null}
        </span>
      )
    },
  },
  {
    key: 'purpose',
    header: 'Purpose',
    cell: ({ purpose }) => (purpose === 'compare' ? 'Compare' : 'Migrate'),
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
