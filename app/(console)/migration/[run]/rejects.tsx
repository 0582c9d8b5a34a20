'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatCount, formatNumber } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import type { RunPartProps } from './actions'
import { RaiseLimits } from './raise-limits'
import { DownloadLink } from './report'

const PAGE = 100
const MOST = 1_000

/** Rows that could not be stored as planned: which, and why. Nothing of it is dropped in silence. */
export function RejectsSection({ run, can, onChanged }: RunPartProps) {
  const trpc = useTRPC()
  const [limit, setLimit] = useState(PAGE)
  const query = useQuery(
    trpc.migration.rejects.queryOptions(
      { id: run.id, limit },
      { refetchInterval: run.state === 'running' ? 3_000 : false, placeholderData: (before) => before },
    ),
  )
  if (query.error && !query.data) {
    return (
      <Section title="Rejected rows">
        <ErrorTile error={query.error} what="Rejected rows" onRetry={() => query.refetch()} />
      </Section>
    )
  }
  if (!query.data) return <Skeleton className="h-24 w-full" label="Reading the rejected rows" />
  const { items, total, next } = query.data
  if (total === 0) return null
  return (
    <Section
      title="Rejected rows"
      note={formatCount(total, 'row')}
      actions={<DownloadLink run={run} file="rejects.ndjson" label="Download rejected rows" />}
    >
      <Acceptance run={run} can={can} onChanged={onChanged} total={total} />
      {run.error?.code === 'REJECTS_EXCEEDED' && can.manage ? (
        <RaiseLimits run={run} total={total} onChanged={onChanged} />
      ) : null}
      <Table
        caption="Rejected rows"
        scroll="own"
        columns={[
          { key: 'table', header: 'Table', rowHeader: true, cell: ({ table }) => <Mono>{table}</Mono> },
          { key: 'key', header: 'Row', cell: ({ key }) => <Mono>{key}</Mono> },
          {
            key: 'column',
            header: 'Column',
            cell: ({ column }) =>
              column === null ? <span className="text-muted">unknown</span> : <Mono>{column}</Mono>,
          },
          {
            key: 'value',
            header: 'Value',
            cell: ({ value }) =>
              value === null ? <span className="text-muted">NULL</span> : <Mono>{value}</Mono>,
          },
          {
            key: 'reason',
            header: 'Why',
            cell: ({ reason }) => <span className="whitespace-normal">{reason}</span>,
          },
        ]}
        rows={items.map((item, at) => ({ ...item, at }))}
        rowKey={({ at }) => String(at)}
      />
      {next !== null && limit < MOST ? (
        <Button className="mt-2" onClick={() => setLimit(Math.min(MOST, limit + PAGE))}>
          Show {PAGE} more
        </Button>
      ) : next !== null ? (
        <p className="mt-2 text-muted">The first {formatNumber(MOST)} are shown; the file has all of them.</p>
      ) : null}
    </Section>
  )
}

/** Somebody answers for the rows that stay behind, by name: until then nothing is switched over. */
function Acceptance({ run, can, onChanged, total }: RunPartProps & { total: number }) {
  const client = useTRPCClient()
  const [asking, setAsking] = useState(false)
  const { accepted, state } = run
  if (accepted) {
    return (
      <div className="mb-3">
        <Callout tone="ok" title={`Accepted by ${accepted.by}`}>
          {formatCount(accepted.rejected, 'row')}, <Time at={accepted.at} />
        </Callout>
      </div>
    )
  }
  if (state !== 'completed') return null
  const rows = formatCount(total, 'row')
  return (
    <div className="mb-3">
      <Callout
        tone="warn"
        title={`Completed with ${formatCount(total, 'rejected row')}`}
        actions={
          can.manage ? (
            <Button onClick={() => setAsking(true)}>Accept {formatCount(total, 'rejected row')}</Button>
          ) : null
        }
      >
        They are not in PostgreSQL. Switching over asks that somebody accepts it.
      </Callout>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        title="Accept the rejected rows"
        effect={`${rows} of the source stay behind. Your name and the number are kept with the run.`}
        confirmName={String(total)}
        confirmLabel="Accept"
        onConfirm={async () => {
          await client.migration.acceptRejects.mutate({ id: run.id, rejected: total })
          await onChanged()
        }}
      />
    </div>
  )
}
