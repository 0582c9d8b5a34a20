'use client'

import { useQuery } from '@tanstack/react-query'
import { MissingNote } from '@/components/database/missing-note'
import type { ServerFacts } from '@/components/database/types'
import { useTRPC } from '@/components/trpc/trpc'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { Figure } from '@/components/ui/figure'
import { formatBytes, MISSING } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'

type Follower = ServerFacts['followers'][number]
type Slot = ServerFacts['slots'][number]

/** Replicas and slots as the primary itself sees them; other tools may follow it too. */
export function Followers() {
  const trpc = useTRPC()
  const server = useQuery(trpc.database.server.queryOptions(undefined, { refetchInterval: 5_000 }))
  const { data, error } = server
  if (error && !data) {
    return <ErrorTile error={error} what="Who follows the primary" onRetry={() => void server.refetch()} />
  }
  if (!data) return <Skeleton className="mt-8 h-48 w-full" label="Reading who follows the primary" />
  return (
    <>
      <Section title="As the primary sees them">
        {data.missing ? <MissingNote missing={data.missing} title="Not all of the server is seen" /> : null}
        <Table<Follower>
          caption="Replicas that follow the primary"
          columns={[
            {
              key: 'application',
              header: 'Follower',
              rowHeader: true,
              cell: ({ application }) => <Mono>{application || MISSING}</Mono>,
            },
            {
              key: 'address',
              header: 'Address',
              cell: ({ address }) => (address === null ? 'local socket' : <Mono>{address}</Mono>),
            },
            {
              key: 'state',
              header: 'State',
              cell: ({ state }) => <Status kind={state === 'streaming' ? 'ok' : 'warn'}>{state}</Status>,
            },
            { key: 'sync', header: 'Commits wait for it', cell: ({ sync }) => syncWords(sync) },
            {
              key: 'lag',
              header: 'Not replayed yet',
              numeric: true,
              cell: ({ lagBytes }) => <Figure value={lagBytes} format={formatBytes} />,
            },
          ]}
          rows={data.followers}
          rowKey={({ application, address }) => `${application} ${address}`}
          empty={<Empty kind="no-data" title="Nobody follows the primary" />}
        />
      </Section>
      <Section title="Replication slots" note="keep WAL until it was fetched">
        <Table<Slot>
          caption="Replication slots"
          columns={[
            { key: 'name', header: 'Slot', rowHeader: true, cell: ({ name }) => <Mono>{name}</Mono> },
            { key: 'type', header: 'Type', cell: ({ type }) => type },
            {
              key: 'active',
              header: 'State',
              cell: ({ active }) => (
                <Status kind={active ? 'ok' : 'warn'}>{active ? 'In use' : 'Nobody fetches'}</Status>
              ),
            },
            {
              key: 'kept',
              header: 'WAL kept for it',
              numeric: true,
              cell: ({ retainedBytes }) => <Figure value={retainedBytes} format={formatBytes} />,
            },
          ]}
          rows={data.slots}
          rowKey={({ name }) => name}
          rowTone={({ active }) => (active ? undefined : 'warn')}
          empty={<Empty kind="no-data" title="There is no slot" />}
        />
      </Section>
    </>
  )
}

/** pg_stat_replication.sync_state in words. */
function syncWords(sync: string): string {
  if (sync === 'sync') return 'yes'
  if (sync === 'quorum') return 'yes, with others'
  if (sync === 'potential') return 'if another fails'
  return 'no'
}
