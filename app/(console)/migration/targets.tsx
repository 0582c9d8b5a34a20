'use client'

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ConnectionDialog } from '@/components/migration/connection-form'
import { ConnectionResult } from '@/components/migration/connection-result'
import type { Connection, TargetRef } from '@/components/migration/types'
import { useCan } from '@/components/migration/use-can'
import { placeOf } from '@/components/migration/words'
import { useAsked } from '@/components/shell/use-asked'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { Empty } from '@/components/ui/empty'
import { ErrorText } from '@/components/ui/error-text'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { type Column, Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'

interface Row {
  key: string
  name: string
  place: string
  user: string
  ssl: boolean
  ref: TargetRef
  connection?: Connection
}

/** PostgreSQL servers that runs may write to: the environment's, and those that an admin entered. */
export function TargetsSection() {
  const trpc = useTRPC()
  const client = useQueryClient()
  const can = useCan()
  const targets = useQuery(trpc.migration.targets.queryOptions())
  const remove = useMutation(trpc.migration.deleteConnection.mutationOptions())
  const test = useMutation(trpc.migration.testTarget.mutationOptions())
  const [editing, setEditing] = useState<{ connection?: Connection }>()
  useAsked('connect', () => setEditing({}), can.manage)
  const [removing, setRemoving] = useState<Connection>()
  const [tested, setTested] = useState<string>()
  const { data } = targets
  const rows: Row[] = data
    ? [
        ...(data.environment
          ? [
              {
                ...data.environment,
                key: 'environment',
                name: 'From the environment',
                ssl: Boolean(data.environment.ssl),
                ref: { kind: 'environment' } as const,
              },
            ]
          : []),
        ...data.connections.map((connection) => ({
          ...connection,
          key: connection.id,
          place: placeOf(connection),
          ref: { kind: 'connection', id: connection.id } as const,
          connection,
        })),
      ]
    : []
  const columns: Column<Row>[] = [
    { key: 'name', header: 'Name', rowHeader: true, cell: ({ name }) => name },
    { key: 'place', header: 'Server', cell: ({ place }) => <Mono>{place}</Mono> },
    { key: 'user', header: 'Role', cell: ({ user }) => <Mono>{user}</Mono> },
    { key: 'tls', header: 'TLS', cell: ({ ssl }) => (ssl ? 'verified' : 'plain') },
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      cell: ({ name, ref, connection }) => (
        <span className="flex justify-end gap-2">
          {can.operate ? (
            <Button
              size="small"
              aria-label={`Test ${name}`}
              onClick={() => {
                setTested(name)
                return test.mutateAsync(ref).catch(() => {})
              }}
            >
              Test
            </Button>
          ) : null}
          {can.manage && connection ? (
            <>
              <Button size="small" aria-label={`Change ${name}`} onClick={() => setEditing({ connection })}>
                Change
              </Button>
              <Button size="small" aria-label={`Remove ${name}`} onClick={() => setRemoving(connection)}>
                Remove
              </Button>
            </>
          ) : null}
        </span>
      ),
    },
  ]
  return (
    <Section
      title="Targets"
      note="PostgreSQL servers that a run may write to."
      actions={can.manage ? <Button onClick={() => setEditing({})}>New connection</Button> : null}
    >
      {targets.error && !data ? (
        <ErrorTile error={targets.error} what="Targets" onRetry={() => targets.refetch()} />
      ) : data ? (
        <Table
          caption="PostgreSQL targets"
          density="roomy"
          columns={columns}
          rows={rows}
          rowKey={({ key }) => key}
          empty={
            <Empty kind="no-data" title="No target is known">
              Set DB_HOST and the other DB_ variables, or enter a connection.
            </Empty>
          }
        />
      ) : (
        <Skeleton className="h-24 w-full" label="Reading the targets" />
      )}
      {tested && test.data && !test.isPending ? (
        <div className="mt-3">
          <p className="mb-1 font-medium">{tested}</p>
          <ConnectionResult test={test.data} />
        </div>
      ) : null}
      <div role="alert" className="mt-3 empty:hidden">
        {test.error ? <ErrorText error={test.error} /> : null}
      </div>
      <ConnectionDialog
        open={editing !== undefined}
        onClose={() => setEditing(undefined)}
        connection={editing?.connection}
      />
      <ConfirmDialog
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title="Remove the connection"
        effect={`Its password is deleted. Runs that are not finished and write to ${removing ? placeOf(removing) : ''} cannot go on without it.`}
        confirmName={removing?.name}
        confirmLabel="Remove connection"
        onConfirm={async () => {
          if (removing) await remove.mutateAsync({ id: removing.id })
          await client.invalidateQueries({ queryKey: trpc.migration.targets.queryKey() })
        }}
      />
    </Section>
  )
}
