'use client'

import { useQuery } from '@tanstack/react-query'
import type { OriginFigures, OutboundReport } from '@/components/cache/outbound-types'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { FilterBar, FilterText, useUrlFilter } from '@/components/ui/filter-bar'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { Mono, PageHeader, Section } from '@/components/ui/text'
import { ReadAt } from '@/components/ui/time'
import { useDrawer, useSort } from '@/components/ui/url-state'
import { originColumns } from './origin-columns'
import { OriginDrawer } from './origin-drawer'
import { PoolsTable } from './pools-table'
import { idOf, sorted, toneOf } from './words'

/** HTTP that this process calls: its pools with their limits, and every origin that was called. */
export function OutboundView() {
  const report = useQuery(useTRPC().cache.outbound.queryOptions(undefined, { refetchInterval: 5_000 }))
  const { data } = report
  return (
    <>
      <PageHeader
        title="Outbound HTTP"
        lead={
          data ? (
            <>
              What this process called since its start. <ReadAt at={data.at} />
            </>
          ) : undefined
        }
      />
      {data ? (
        <>
          <TileBoundary what="Origins">
            <Origins of={data} />
          </TileBoundary>
          <TileBoundary what="Pools">
            <Section title="Pools" note="what each call is held to">
              <PoolsTable pools={data.pools} />
            </Section>
          </TileBoundary>
        </>
      ) : report.error ? (
        <ErrorTile error={report.error} what="Outbound HTTP" onRetry={() => report.refetch()} />
      ) : (
        <Skeleton className="h-96 w-full" label="Reading outbound HTTP" />
      )}
    </>
  )
}

function Origins({ of: { origins, pools } }: { of: OutboundReport }) {
  const { filter, set, clear, any } = useUrlFilter((params) => ({ text: params.get('text') ?? '' }))
  const { sort, onSort } = useSort({ by: 'calls', direction: 'desc' })
  const drawer = useDrawer('origin')
  const wanted = filter.text.trim().toLowerCase()
  const shown = origins.filter((origin) => idOf(origin).toLowerCase().includes(wanted))
  const opened = origins.find((origin) => idOf(origin) === drawer.id)
  const all = formatCount(origins.length, 'origin')
  return (
    <Section title="Origins">
      {origins.length > 0 ? (
        <FilterBar
          count={shown.length === origins.length ? all : `${shown.length} of ${all}`}
          any={any}
          onClear={clear}
        >
          <FilterText
            label="Origin or pool"
            value={filter.text}
            onChange={(text) => set({ text })}
            className="w-full sm:w-72"
          />
        </FilterBar>
      ) : null}
      <Table<OriginFigures>
        caption="Origins"
        scroll="own"
        density="roomy"
        columns={originColumns}
        rows={sorted(shown, sort)}
        rowKey={idOf}
        rowTone={toneOf}
        sort={sort}
        onSort={onSort}
        onOpen={(origin) => drawer.open(idOf(origin))}
        selected={drawer.id ?? undefined}
        empty={
          origins.length === 0 ? (
            <Empty kind="no-data" title="Nothing was called yet">
              Alerts to webhooks go through here. An application can use it too, as <Mono>docs/cache.md</Mono>{' '}
              shows.
            </Empty>
          ) : (
            <Empty
              kind="no-match"
              title="No origin fits the filter"
              action={<Button onClick={clear}>Show all origins</Button>}
            />
          )
        }
      />
      <OriginDrawer
        id={drawer.id}
        origin={opened}
        pool={pools.find(({ name }) => name === opened?.pool)}
        onClose={drawer.close}
      />
    </Section>
  )
}
