'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useMay } from '@/components/auth/use-may'
import { RedisOnly } from '@/components/cache/redis-only'
import type { SlowCommand, SlowLogReport } from '@/components/cache/types'
import { useAsked } from '@/components/shell/use-asked'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { FilterBar, FilterChoice, useUrlFilter } from '@/components/ui/filter-bar'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { PageHeader } from '@/components/ui/text'
import { ReadAt } from '@/components/ui/time'
import { useDrawer } from '@/components/ui/url-state'
import { commandKey, slowColumns } from './columns'
import { CommandDrawer } from './command-drawer'
import { ResetDialog } from './reset-dialog'
import { thresholdWords } from './threshold'

const PERIOD_MS = 5_000

/** Commands that took Redis long, of all nodes. */
export function SlowLogView() {
  return <RedisOnly header={<PageHeader title="Slow log" />}>{() => <SlowLog />}</RedisOnly>
}

function SlowLog() {
  const trpc = useTRPC()
  const { operate } = useMay('cache')
  const log = useQuery(trpc.cache.slowLog.queryOptions(undefined, { refetchInterval: PERIOD_MS }))
  const [resetting, setResetting] = useState(false)
  useAsked('reset', () => setResetting(true), operate)
  const { data, error } = log
  return (
    <>
      <PageHeader
        title="Slow log"
        lead={
          data ? (
            <>
              {thresholdWords(data)} <ReadAt at={data.at} />
            </>
          ) : undefined
        }
        actions={operate && data ? <Button onClick={() => setResetting(true)}>Reset…</Button> : undefined}
      />
      {error ? (
        <div className="mb-4">
          <ErrorTile error={error} what="The slow log" onRetry={() => log.refetch()} />
        </div>
      ) : null}
      {data ? (
        <TileBoundary what="Slow commands">
          <Commands report={data} />
        </TileBoundary>
      ) : error ? null : (
        <Skeleton className="h-64 w-full" label="Reading the slow log" />
      )}
      {resetting ? <ResetDialog onClose={() => setResetting(false)} /> : null}
    </>
  )
}

function Commands({ report }: { report: SlowLogReport }) {
  const { filter, set, clear, any } = useUrlFilter((params) => ({ node: params.get('node') ?? '' }))
  const drawer = useDrawer('command')
  const { commands } = report
  const nodes = [...new Set([...commands.map(({ node }) => node), filter.node])].filter(Boolean).sort()
  const rows = commands
    .filter(({ node }) => filter.node === '' || node === filter.node)
    .sort((a, b) => b.at - a.at || b.id - a.id)
  const all = formatCount(commands.length, 'command')
  return (
    <>
      <FilterBar
        count={rows.length === commands.length ? all : `${rows.length} of ${all}`}
        any={any}
        onClear={clear}
      >
        <FilterChoice
          label="Node"
          value={filter.node}
          all="All nodes"
          words={nodes}
          nameOf={(node) => node}
          onChange={(node) => set({ node })}
          className="w-56"
        />
      </FilterBar>
      <Table<SlowCommand>
        caption="Slow commands, the newest first"
        columns={slowColumns}
        rows={rows}
        rowKey={commandKey}
        onOpen={(command) => drawer.open(commandKey(command))}
        selected={drawer.id ?? undefined}
        empty={
          commands.length === 0 ? (
            <Empty kind="no-data" title="No slow command is noted">
              {thresholdWords(report)}
            </Empty>
          ) : (
            <Empty
              kind="no-match"
              title="This node has noted no command"
              action={<Button onClick={clear}>Show all nodes</Button>}
            />
          )
        }
      />
      <CommandDrawer
        id={drawer.id}
        command={commands.find((command) => commandKey(command) === drawer.id)}
        onClose={drawer.close}
      />
    </>
  )
}
