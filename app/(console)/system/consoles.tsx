'use client'

import { useQuery } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import type { RouterOutputs } from '@/server/routers/_app'

type Instance = RouterOutputs['system']['instances'][number]

/** As often as a console renews its entry. */
const PERIOD_MS = 5_000

/** The processes that serve this store. */
export function Consoles() {
  const trpc = useTRPC()
  const { data, error, refetch } = useQuery(
    trpc.system.instances.queryOptions(undefined, { refetchInterval: PERIOD_MS }),
  )
  return (
    <Section title="Consoles" note="processes that serve this store">
      {error && !data ? (
        <ErrorTile error={error} what="The list of consoles" onRetry={() => void refetch()} />
      ) : data ? (
        <Table<Instance>
          caption="Consoles that serve this store"
          columns={[
            {
              key: 'name',
              header: 'Console',
              rowHeader: true,
              cell: ({ name, answering }) => (
                <>
                  <Mono>{name}</Mono>
                  {answering ? <span className="text-muted"> (this one)</span> : null}
                </>
              ),
            },
            { key: 'version', header: 'Version', cell: ({ version }) => version },
            { key: 'started', header: 'Since', cell: ({ startedAt }) => <Time at={startedAt} /> },
            { key: 'seen', header: 'Last seen', cell: ({ seenAt }) => <Time at={seenAt} /> },
          ]}
          rows={data}
          rowKey={({ id }) => id}
        />
      ) : (
        <Skeleton className="h-20 w-full" label="Reading the list of consoles" />
      )}
    </Section>
  )
}
