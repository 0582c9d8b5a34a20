'use client'

import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Delivery } from '@/components/alerts/words'
import { saysOf } from '@/components/auth/client'
import { severityWords } from '@/components/security/severity-words'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { Field, Select } from '@/components/ui/field'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import { RelativeTime } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'
import { useUrlState } from '@/components/ui/url-state'
import { PagesNav } from './pages-nav'
import { ALERTS_PAGE } from './paging'
import { usePages } from './use-pages'

const states = { pending: 'Waiting', delivered: 'Delivered', dead: 'Not delivered' } as const
type State = keyof typeof states

/** What was and is to be sent; what could not be waits for a second try by hand. */
export function DeliveryList({ operate }: { operate: boolean }) {
  const trpc = useTRPC()
  const { security } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const pages = usePages()
  const { params, change } = useUrlState()
  const asked = params.get('deliveries')
  const state = asked !== null && asked in states ? (asked as State) : undefined
  const deliveries = useQuery(
    trpc.security.alerts.deliveries.queryOptions(
      { limit: ALERTS_PAGE, before: pages.before, state },
      {
        placeholderData: keepPreviousData,
        // What arrives makes no audit event: a list that waits for something looks again.
        refetchInterval: ({ state: { data } }) =>
          data?.rows.some((row) => row.state === 'pending') ? 3_000 : false,
      },
    ),
  )
  const { data } = deliveries
  const retry = async (ids: string[]) => {
    try {
      const { retried } = await security.alerts.retry.mutate({ ids })
      toast({ text: `${formatCount(retried, 'delivery', 'deliveries')} tried again.`, tone: 'ok' })
    } catch (error) {
      toast({ text: saysOf(error), tone: 'bad' })
    }
    await queries.invalidateQueries(trpc.security.alerts.pathFilter())
  }
  const dead = data?.rows.filter((row) => row.state === 'dead').map(({ id }) => id) ?? []
  return (
    <Section
      title="Deliveries"
      note="Each is tried seven times within about five hours."
      actions={
        operate && dead.length > 1 ? (
          <Button onClick={() => retry(dead)}>Try all of these again</Button>
        ) : null
      }
    >
      <search className="mb-3 flex flex-wrap items-end gap-3">
        <Field label="Show" className="w-full sm:w-48">
          <Select
            value={state ?? ''}
            onChange={({ target }) => {
              pages.latest()
              change({ deliveries: target.value || null }, 'replace')
            }}
          >
            <option value="">All</option>
            {Object.entries(states).map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </Select>
        </Field>
      </search>
      {deliveries.isPending ? <Skeleton className="h-48 w-full" label="Reading the deliveries" /> : null}
      {deliveries.isError && !data ? (
        <ErrorTile error={deliveries.error} what="Deliveries" onRetry={() => deliveries.refetch()} />
      ) : null}
      {data ? (
        <Table
          caption="Deliveries"
          density="roomy"
          columns={columnsOf(operate ? (id) => retry([id]) : undefined)}
          rows={data.rows}
          rowKey={({ id }) => id}
          rowTone={(row) => (row.state === 'dead' ? 'bad' : undefined)}
          empty={
            <Empty
              kind={state ? 'no-match' : 'no-data'}
              title={state ? 'There is no such delivery' : 'Nothing was sent yet'}
            />
          }
        />
      ) : null}
      <PagesNav label="Pages of deliveries" pages={pages} next={data?.next} />
    </Section>
  )
}

function columnsOf(onRetry: ((id: string) => unknown) | undefined): Column<Delivery>[] {
  return [
    {
      key: 'alert',
      header: 'Alert',
      rowHeader: true,
      cell: ({ alert }) => (
        <span className="block min-w-48 whitespace-normal">
          {alert.title}
          <span className="block text-note font-normal text-muted">{severityWords[alert.severity]}</span>
        </span>
      ),
    },
    { key: 'channel', header: 'Channel', cell: ({ channel }) => channel.name },
    { key: 'state', header: 'State', cell: (delivery) => <DeliveryState delivery={delivery} /> },
    { key: 'tries', header: 'Tries', numeric: true, cell: ({ attempts }) => attempts },
    {
      key: 'at',
      header: 'When',
      numeric: true,
      cell: ({ deliveredAt, createdAt }) => <RelativeTime at={deliveredAt ?? createdAt} />,
    },
    {
      key: 'retry',
      header: <span className="sr-only">Try again</span>,
      className: 'text-right',
      cell: ({ id, state, alert }) =>
        state === 'dead' && onRetry ? (
          <Button size="small" aria-label={`Try again: ${alert.title}`} onClick={() => onRetry(id)}>
            Try again
          </Button>
        ) : null,
    },
  ]
}

function DeliveryState({ delivery: { state, error, answer, tookMs, nextAt } }: { delivery: Delivery }) {
  return (
    <span className="block min-w-56 whitespace-normal">
      {state === 'delivered' ? <Status kind="ok">Delivered</Status> : null}
      {state === 'dead' ? <Status kind="bad">Not delivered</Status> : null}
      {state === 'pending' ? <Status kind={error ? 'warn' : 'busy'}>Waiting</Status> : null}
      <span className="block text-note text-muted">
        {state === 'delivered' ? `The receiver answered ${answer} after ${tookMs} ms.` : error}
        {state === 'pending' && error ? (
          <>
            {' '}
            Next try: <RelativeTime at={nextAt} />.
          </>
        ) : null}
      </span>
    </span>
  )
}
