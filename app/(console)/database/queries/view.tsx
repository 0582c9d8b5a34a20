'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { MissingNote } from '@/components/database/missing-note'
import type { Statement, Statements } from '@/components/database/types'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { PageHeader } from '@/components/ui/text'
import { ReadAt, Time } from '@/components/ui/time'
import { useDrawer, useSort } from '@/components/ui/url-state'
import { passes, sorted } from './choose'
import { StatementFilterBar, useStatementFilter } from './filter-bar'
import { statementColumns } from './statement-columns'
import { StatementDrawer } from './statement-drawer'

/** So many are listed at first: hundreds of rows that nobody reads hold up the page. */
const FIRST = 100

/** Statements by the time they take, each with its plan and its past. */
export function QueriesView() {
  const trpc = useTRPC()
  const statements = useQuery(trpc.database.statements.queryOptions(undefined, { refetchInterval: 15_000 }))
  const { data } = statements
  return (
    <>
      <PageHeader
        title="Queries"
        lead={data ? <Lead of={data} read={statements.dataUpdatedAt} /> : undefined}
      />
      <TileBoundary what="Queries">
        {data ? (
          <StatementList of={data} />
        ) : statements.error ? (
          <ErrorTile error={statements.error} what="Queries" onRetry={() => statements.refetch()} />
        ) : (
          <Skeleton className="h-96 w-full" label="Reading the statements" />
        )}
      </TileBoundary>
    </>
  )
}

/** Whose statements these are, and since when they are counted. */
function Lead({ of: { source, since }, read }: { of: Statements; read: number }) {
  return (
    <>
      {source === 'pg_stat_statements'
        ? 'What all clients of this database sent, as pg_stat_statements counts it'
        : 'What this console sent'}
      {since === null ? '' : ' since '}
      {since === null ? null : <Time at={since} />}. Values are never kept. <ReadAt at={read} />
    </>
  )
}

function StatementList({ of: { statements, missing } }: { of: Statements }) {
  const { filter, clear } = useStatementFilter()
  const { sort, onSort } = useSort({ by: 'total', direction: 'desc' })
  const drawer = useDrawer('statement')
  const [whole, setWhole] = useState(false)
  const shown = sorted(
    statements.filter((statement) => passes(filter, statement)),
    sort,
  )
  const rows = whole ? shown : shown.slice(0, FIRST)
  const all = formatCount(statements.length, 'statement')
  return (
    <>
      {missing ? (
        <MissingNote missing={missing} title="The statements of other clients are not seen" />
      ) : null}
      <StatementFilterBar count={shown.length === statements.length ? all : `${shown.length} of ${all}`} />
      <Table<Statement>
        caption="Statements"
        density="roomy"
        columns={statementColumns}
        rows={rows}
        rowKey={({ fingerprint }) => fingerprint}
        rowTone={({ errors }) => (errors ? 'warn' : undefined)}
        sort={sort}
        onSort={onSort}
        onOpen={({ fingerprint }) => drawer.open(fingerprint)}
        selected={drawer.id ?? undefined}
        empty={
          statements.length === 0 ? (
            <Empty kind="no-data" title="No statement has been counted yet">
              The list fills as the database is used.
            </Empty>
          ) : (
            <Empty
              kind="no-match"
              title="No statement fits the filter"
              action={<Button onClick={clear}>Show all statements</Button>}
            />
          )
        }
      />
      {rows.length < shown.length ? (
        <Button className="mt-4" onClick={() => setWhole(true)}>
          Show all {formatCount(shown.length, 'statement')}
        </Button>
      ) : null}
      <StatementDrawer
        fingerprint={drawer.id}
        statement={statements.find(({ fingerprint }) => fingerprint === drawer.id)}
        onClose={drawer.close}
      />
    </>
  )
}
