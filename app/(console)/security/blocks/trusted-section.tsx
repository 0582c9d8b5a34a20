'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAsked } from '@/components/shell/use-asked'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'
import { TrustDialog } from './trust-dialog'
import { useRefresh } from './use-refresh'
import type { TrustedSource } from './words'

/** Networks that no limit and no block of addresses stops. */
export function TrustedSection({ manage }: { manage: boolean }) {
  const { security } = useTRPCClient()
  const sources = useQuery(useTRPC().security.trusted.list.queryOptions())
  const toast = useToast()
  const refresh = useRefresh()
  const [adding, setAdding] = useState(false)
  useAsked('trust', () => setAdding(true), manage)
  const [removing, setRemoving] = useState<TrustedSource>()
  const { data } = sources
  return (
    <Section
      title="Trusted sources"
      note="Skip the limits and blocks of addresses, and no others"
      actions={manage ? <Button onClick={() => setAdding(true)}>Add a source</Button> : null}
    >
      {sources.isPending ? <Skeleton className="h-24 w-full" label="Reading the trusted sources" /> : null}
      {sources.isError && !data ? (
        <ErrorTile error={sources.error} what="Trusted sources" onRetry={() => sources.refetch()} />
      ) : null}
      {data ? (
        <Table
          caption="Trusted sources"
          columns={columns(manage ? setRemoving : undefined)}
          rows={data}
          rowKey={({ id }) => id}
          empty={<Empty kind="no-data" title="No network is trusted" />}
        />
      ) : null}
      {adding ? <TrustDialog onClose={() => setAdding(false)} /> : null}
      {removing ? (
        <ConfirmDialog
          open
          onClose={() => setRemoving(undefined)}
          title="Remove this trusted source?"
          effect={`Limits and blocks of addresses count for ${removing.network} at once.`}
          confirmLabel="Remove"
          onConfirm={async () => {
            await security.trusted.remove.mutate({ id: removing.id })
            toast({ text: `${removing.network} is not trusted any more.`, tone: 'ok' })
            await refresh()
          }}
        />
      ) : null}
    </Section>
  )
}

function columns(onRemove: ((source: TrustedSource) => void) | undefined): Column<TrustedSource>[] {
  return [
    {
      key: 'network',
      header: 'Network',
      rowHeader: true,
      cell: ({ network }) => <span className="font-mono whitespace-nowrap">{network}</span>,
    },
    { key: 'owner', header: 'Owner', cell: ({ owner }) => owner },
    { key: 'reason', header: 'Reason', className: 'min-w-48', cell: ({ reason }) => reason },
    {
      key: 'ends',
      header: 'Ends',
      cell: ({ expiresAt, active }) =>
        expiresAt === null ? 'Never' : active ? <Time at={expiresAt} /> : <Status kind="off">Over</Status>,
    },
    { key: 'by', header: 'Added by', cell: ({ createdBy }) => createdBy },
    {
      key: 'remove',
      header: <span className="sr-only">Remove</span>,
      className: 'text-right',
      cell: (source) =>
        onRemove ? (
          <Button size="small" aria-label={`Remove ${source.network}`} onClick={() => onRemove(source)}>
            Remove
          </Button>
        ) : null,
    },
  ]
}
