'use client'

import { useQuery } from '@tanstack/react-query'
import { MaintainButton } from '@/components/database/maintain-button'
import { MissingNote } from '@/components/database/missing-note'
import type { TableFigures } from '@/components/database/types'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { bytesParts, formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Stat, StatRow } from '@/components/ui/stat'
import { Table } from '@/components/ui/table'
import { PageHeader } from '@/components/ui/text'
import { ReadAt } from '@/components/ui/time'
import { useDrawer, useSort } from '@/components/ui/url-state'
import type { RouterOutputs } from '@/server/routers/_app'
import { isDueForVacuum, nameOf, passes, sorted } from './choose'
import { TableFilterBar, useTableFilter } from './filter-bar'
import { columnsFor } from './table-columns'
import { TableDrawer } from './table-drawer'

type Tables = RouterOutputs['database']['tables']

/** Tables and their indexes: how large, how they are read and written, and whether they are kept up. */
export function TablesView() {
  const tables = useQuery(useTRPC().database.tables.queryOptions(undefined, { refetchInterval: 30_000 }))
  const { data } = tables
  const vacuums = data ? vacuumsHere(data) : true
  return (
    <>
      <PageHeader
        title="Tables"
        lead={data ? <ReadAt at={tables.dataUpdatedAt} /> : undefined}
        actions={data ? <MaintainButton what="analyze" /> : null}
      />
      <TileBoundary what="Tables">
        {data ? (
          <TableList of={data} vacuums={vacuums} />
        ) : tables.error ? (
          <ErrorTile error={tables.error} what="Tables" onRetry={() => tables.refetch()} />
        ) : (
          <Skeleton className="h-96 w-full" label="Reading the tables" />
        )}
      </TileBoundary>
    </>
  )
}

/** Tables of SQLite lie in no schema. */
const vacuumsHere = ({ tables }: Tables) => tables.some(({ schema }) => schema !== null)

function TableList({ of: { tables, missing }, vacuums }: { of: Tables; vacuums: boolean }) {
  const { filter, clear } = useTableFilter()
  const { sort, onSort } = useSort({ by: 'size', direction: 'desc' })
  const drawer = useDrawer('table')
  const shown = sorted(
    tables.filter((table) => passes(filter, table)),
    sort,
  )
  const all = formatCount(tables.length, 'table')
  return (
    <>
      {missing ? <MissingNote missing={missing} title="Not everything is told about these tables" /> : null}
      <Sums of={tables} vacuums={vacuums} />
      <TableFilterBar
        count={shown.length === tables.length ? all : `${shown.length} of ${all}`}
        vacuums={vacuums}
      />
      <Table<TableFigures>
        caption="Tables"
        columns={columnsFor(vacuums)}
        rows={shown}
        rowKey={nameOf}
        rowTone={(table) =>
          table.indexes.some(({ valid }) => !valid) ? 'bad' : isDueForVacuum(table) ? 'warn' : undefined
        }
        sort={sort}
        onSort={onSort}
        onOpen={(table) => drawer.open(nameOf(table))}
        selected={drawer.id ?? undefined}
        empty={
          tables.length === 0 ? (
            <Empty kind="no-data" title="The database has no table" />
          ) : (
            <Empty
              kind="no-match"
              title="No table fits the filter"
              action={<Button onClick={clear}>Show all tables</Button>}
            />
          )
        }
      />
      <TableDrawer
        name={drawer.id}
        table={tables.find((table) => nameOf(table) === drawer.id)}
        vacuums={vacuums}
        onClose={drawer.close}
      />
    </>
  )
}

function Sums({ of, vacuums }: { of: readonly TableFigures[]; vacuums: boolean }) {
  const sum = (value: (table: TableFigures) => number) => of.reduce((total, table) => total + value(table), 0)
  const due = of.filter(isDueForVacuum).length
  return (
    <div className="mb-6">
      <StatRow label="All tables" columns={4}>
        <Stat
          label="Tables"
          value={of.length}
          note={formatCount(
            sum(({ indexes }) => indexes.length),
            'index',
            'indexes',
          )}
        />
        <Stat label="Rows and values" value={sum(({ tableBytes }) => tableBytes)} format={bytesParts} />
        <Stat label="Indexes" value={sum(({ indexBytes }) => indexBytes)} format={bytesParts} />
        <Stat
          label="Due for vacuum"
          value={vacuums ? due : null}
          note={
            vacuums ? 'more dead rows than autovacuum waits for' : 'SQLite uses freed pages again by itself'
          }
          tone={due > 0 ? 'warn' : undefined}
        />
      </StatRow>
    </div>
  )
}
