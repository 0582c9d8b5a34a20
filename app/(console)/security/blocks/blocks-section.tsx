'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useStepUp } from '@/components/auth/step-up'
import { useAsked } from '@/components/shell/use-asked'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatCount, formatNumber } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'
import { BlockDialog } from './block-dialog'
import { useRefresh } from './use-refresh'
import { type Block, originWords } from './words'

/** Who is blocked now, and who was. */
export function BlocksSection({ operate }: { operate: boolean }) {
  const { security } = useTRPCClient()
  const blocks = useQuery(useTRPC().security.blocks.list.queryOptions())
  const toast = useToast()
  const refresh = useRefresh()
  const { ask, dialog } = useStepUp()
  const [adding, setAdding] = useState(false)
  useAsked('block', () => setAdding(true), operate)
  const lift = ({ id: blockId, network }: Block) =>
    ask({
      action: 'security.blocks.lift',
      input: { blockId },
      label: 'Unblock',
      title: `Unblock ${network}`,
      effect: `${network} is let in at once, and the next automatic block of it is a short one again.`,
      run: async (grantId) => {
        await security.blocks.lift.mutate({ blockId }, { context: { stepUp: grantId } })
        toast({ text: `${network} is not blocked any more.`, tone: 'ok' })
        await refresh()
      },
    })
  const { data } = blocks
  const active = data?.filter((block) => block.active).length ?? 0
  return (
    <Section
      title="Blocks"
      note={data ? `${formatCount(active, 'network')} blocked now` : undefined}
      actions={operate ? <Button onClick={() => setAdding(true)}>Block a network</Button> : null}
    >
      {blocks.isPending ? <Skeleton className="h-40 w-full" label="Reading the blocks" /> : null}
      {blocks.isError && !data ? (
        <ErrorTile error={blocks.error} what="Blocks" onRetry={() => blocks.refetch()} />
      ) : null}
      {data ? (
        <Table
          caption="Blocks"
          columns={columns(operate ? lift : undefined)}
          rows={data}
          rowKey={({ id }) => id}
          rowTone={({ active }) => (active ? 'bad' : undefined)}
          empty={
            <Empty kind="no-data" title="No network is blocked, and none was in the last 30 days">
              An address that goes on after its limits is blocked by itself.
            </Empty>
          }
        />
      ) : null}
      {adding ? <BlockDialog onClose={() => setAdding(false)} /> : null}
      {dialog}
    </Section>
  )
}

function columns(onLift: ((block: Block) => void) | undefined): Column<Block>[] {
  return [
    {
      key: 'network',
      header: 'Network',
      rowHeader: true,
      cell: ({ network }) => <span className="font-mono whitespace-nowrap">{network}</span>,
    },
    {
      key: 'state',
      header: 'State',
      cell: (block) =>
        block.active ? (
          <Status kind="bad">Blocked</Status>
        ) : (
          <Status kind="off">{block.liftedAt === null ? 'Over' : `Lifted by ${block.liftedBy}`}</Status>
        ),
    },
    {
      key: 'until',
      header: 'Until',
      cell: ({ expiresAt, liftedAt }) =>
        (liftedAt ?? expiresAt) === null ? 'It is lifted' : <Time at={liftedAt ?? expiresAt} />,
    },
    {
      key: 'by',
      header: 'By',
      cell: (block) => <span className="whitespace-nowrap">{originWords(block)}</span>,
    },
    { key: 'reason', header: 'Reason', className: 'min-w-56', cell: ({ reason }) => reason },
    { key: 'since', header: 'Since', numeric: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      key: 'refused',
      header: <span title="Requests that this console refused since its start">Refused</span>,
      numeric: true,
      cell: ({ refused }) => formatNumber(refused),
    },
    {
      key: 'lift',
      header: <span className="sr-only">Unblock</span>,
      className: 'text-right',
      cell: (block) =>
        block.active && onLift ? (
          <Button size="small" aria-label={`Unblock ${block.network}`} onClick={() => onLift(block)}>
            Unblock
          </Button>
        ) : null,
    },
  ]
}
