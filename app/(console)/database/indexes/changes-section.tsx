'use client'

import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { IndexChange } from '@/components/database/types'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import { RelativeTime } from '@/components/ui/time'
import { useDrawer } from '@/components/ui/url-state'
import { ChangeDrawer } from './change-drawer'
import { ChangeState, Effect, Measured } from './change-effect'

const isMoving = ({ state }: IndexChange) => state === 'running' || state === 'undoing'

/** Indexes that were made or dropped from here, with what it did to their statements. */
export function ChangesSection({
  manage,
  onUndo,
}: {
  manage: boolean
  onUndo: (change: IndexChange) => void
}) {
  const changes = useIndexChanges()
  const drawer = useDrawer('change')
  const { data } = changes
  return (
    <Section title="Made and dropped from here">
      {data ? (
        <>
          <Table<IndexChange>
            caption="Indexes made or dropped from here"
            density="roomy"
            columns={[
              {
                key: 'index',
                header: 'Index',
                rowHeader: true,
                className: 'w-full',
                cell: ({ index, table }) => (
                  <span className="block min-w-40 [overflow-wrap:anywhere]">
                    <span className="font-mono">{index}</span>
                    <span className="block text-note text-muted">on {table}</span>
                  </span>
                ),
              },
              {
                key: 'kind',
                header: 'Change',
                cell: ({ kind }) => (kind === 'create' ? 'Made' : 'Dropped'),
              },
              { key: 'state', header: 'State', cell: (change) => <ChangeState of={change} /> },
              {
                key: 'before',
                header: 'Mean before',
                numeric: true,
                cell: ({ before }) => <Measured of={before} />,
              },
              {
                key: 'after',
                header: 'Mean after',
                numeric: true,
                cell: ({ after }) => <Measured of={after} />,
              },
              {
                key: 'effect',
                header: 'Effect',
                className: 'whitespace-nowrap',
                cell: (change) => <Effect of={change} />,
              },
              {
                key: 'requested',
                header: 'When',
                numeric: true,
                cell: ({ requestedAt, actor }) => (
                  <>
                    <RelativeTime at={requestedAt} />
                    <span className="block text-note text-muted">{actor}</span>
                  </>
                ),
              },
              {
                key: 'undo',
                header: <span className="sr-only">Undo</span>,
                className: 'text-right',
                cell: (change) =>
                  manage && change.state === 'applied' ? (
                    <Button
                      size="small"
                      aria-label={`Undo: ${change.kind === 'create' ? 'drop' : 'make'} ${change.index} again`}
                      onClick={(event) => {
                        event.stopPropagation()
                        onUndo(change)
                      }}
                    >
                      Undo
                    </Button>
                  ) : null,
              },
            ]}
            rows={data}
            rowKey={({ id }) => id}
            rowTone={({ state }) => (state === 'failed' ? 'bad' : undefined)}
            onOpen={({ id }) => drawer.open(id)}
            selected={drawer.id ?? undefined}
            empty={
              <Empty kind="no-data" title="Nothing was made or dropped from here yet">
                What it did to the statements is measured and shown here, and can be undone.
              </Empty>
            }
          />
          <ChangeDrawer
            id={drawer.id}
            change={data.find(({ id }) => id === drawer.id)}
            onClose={drawer.close}
          />
        </>
      ) : changes.error ? (
        <ErrorTile error={changes.error} what="Changes" onRetry={() => changes.refetch()} />
      ) : (
        <Skeleton className="h-24 w-full" label="Reading the changes" />
      )}
    </Section>
  )
}

/** Asked for often while one is under way. When one has ended, the advice is another one too. */
function useIndexChanges() {
  const trpc = useTRPC()
  const { refetch } = useQuery(trpc.database.advice.queryOptions({}, { enabled: false }))
  const changes = useQuery(
    trpc.database.indexChanges.queryOptions(undefined, {
      refetchInterval: ({ state }) => (state.data?.some(isMoving) ? 1_000 : 15_000),
    }),
  )
  // By what has ended, not by what was seen under way: a small table's index is there before it is asked for.
  const ended = changes.data
    ?.filter((change) => !isMoving(change))
    .map(({ id, state }) => `${id} ${state}`)
    .join()
  const before = useRef(ended)
  useEffect(() => {
    if (before.current !== undefined && before.current !== ended) void refetch()
    before.current = ended
  }, [ended, refetch])
  return changes
}
