'use client'

import { useQuery } from '@tanstack/react-query'
import type { Run } from '@/components/migration/types'
import { useTRPC } from '@/components/trpc/trpc'
import { buttonClass } from '@/components/ui/button-class'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatNumber } from '@/components/ui/format'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { Mono, PageHeader, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { type Line, linesOf, tablesOf } from './lines'

/** Two runs side by side: what they moved, how long each phase took, whether the sides agreed. */
export function CompareView({ a, b }: { a: string; b: string }) {
  const trpc = useTRPC()
  const first = useQuery(trpc.migration.run.queryOptions({ id: a }, { enabled: a !== '' }))
  const second = useQuery(trpc.migration.run.queryOptions({ id: b }, { enabled: b !== '' }))
  const failed = [first, second].find(({ error, data }) => error && !data)
  return (
    <>
      <PageHeader
        title="Compare runs"
        actions={
          <Link href="/migration" className={buttonClass()}>
            All runs
          </Link>
        }
      />
      {a === '' || b === '' ? (
        <Empty kind="no-match" title="Two runs are compared">
          Tick two of them in the history.
        </Empty>
      ) : failed ? (
        <ErrorTile error={failed.error} what="The runs" onRetry={() => failed.refetch()} />
      ) : first.data && second.data ? (
        <Sides a={first.data} b={second.data} />
      ) : (
        <Skeleton className="h-96 w-full" label="Reading the runs" />
      )}
    </>
  )
}

function Sides({ a, b }: { a: Run; b: Run }) {
  const tables = tablesOf(a, b)
  return (
    <>
      <Section title="Runs" className="mt-0">
        <Table
          caption="Two runs side by side"
          columns={[
            { key: 'label', header: 'Figure', rowHeader: true, cell: ({ label }) => label },
            { key: 'a', header: <RunLink run={a} />, numeric: true, cell: ({ a }) => a },
            { key: 'b', header: <RunLink run={b} />, numeric: true, cell: ({ b }) => b },
            {
              key: 'change',
              header: 'Change',
              numeric: true,
              cell: ({ change }: Line) => change ?? <span className="text-muted">none</span>,
            },
          ]}
          rows={linesOf(a, b)}
          rowKey={({ label }) => label}
        />
      </Section>
      <Section title="Tables">
        <Table
          caption="Tables of both runs"
          columns={[
            { key: 'table', header: 'Table', rowHeader: true, cell: ({ table }) => <Mono>{table}</Mono> },
            { key: 'a', header: 'Written, first', numeric: true, cell: ({ a }) => formatNumber(a?.written) },
            { key: 'b', header: 'Written, second', numeric: true, cell: ({ b }) => formatNumber(b?.written) },
            {
              key: 'ra',
              header: 'Rejected, first',
              numeric: true,
              cell: ({ a }) => formatNumber(a?.rejected),
            },
            {
              key: 'rb',
              header: 'Rejected, second',
              numeric: true,
              cell: ({ b }) => formatNumber(b?.rejected),
            },
          ]}
          rows={tables}
          rowKey={({ table }) => table}
          rowTone={({ a, b }) => (a?.written === b?.written ? undefined : 'warn')}
          empty={<Empty kind="no-data" title="Neither run has begun a table" />}
        />
      </Section>
    </>
  )
}

const RunLink = ({ run }: { run: Run }) => (
  <Link href={`/migration/${run.id}`} className={plainLink}>
    <Time at={run.createdAt} />
  </Link>
)
