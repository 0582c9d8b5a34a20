'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLiveEvent } from '@/components/live/live'
import { useMayManage } from '@/components/security/use-may-manage'
import { useAsked } from '@/components/shell/use-asked'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Status, type StatusKind } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { Mono, PageHeader } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import type { RouterOutputs } from '@/server/routers/_app'
import { RotateDialog } from './rotate-dialog'

type SigningKey = RouterOutputs['security']['signingKeys'][number]

const states: Record<SigningKey['state'], { kind: StatusKind; word: string; does: string }> = {
  next: { kind: 'busy', word: 'Next', does: 'published, does not sign yet' },
  signing: { kind: 'ok', word: 'Signing', does: 'signs every new token' },
  verifying: { kind: 'off', word: 'Verifying', does: 'until its last token is over' },
}

const columns: Column<SigningKey>[] = [
  {
    key: 'id',
    header: 'Key id',
    rowHeader: true,
    className: 'min-w-36',
    cell: ({ id }) => <Mono>{id}</Mono>,
  },
  {
    key: 'state',
    header: 'State',
    cell: ({ state }) => (
      <span className="inline-flex flex-wrap items-center gap-x-2">
        <Status kind={states[state].kind}>{states[state].word}</Status>
        <span className="text-muted">{states[state].does}</span>
      </span>
    ),
  },
  { key: 'algorithm', header: 'Algorithm', cell: ({ algorithm }) => <Mono>{algorithm}</Mono> },
  { key: 'made', header: 'Made', numeric: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
  { key: 'since', header: 'Signs from', numeric: true, cell: ({ activeFrom }) => <Time at={activeFrom} /> },
]

/** The keys that sign access tokens; other applications verify tokens by the published ones. */
export function SigningKeysView() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const manage = useMayManage()
  const keys = useQuery(trpc.security.signingKeys.queryOptions())
  const { data: config } = useQuery(trpc.system.config.queryOptions())
  const [rotating, setRotating] = useState(false)
  useLiveEvent('audit', () => void queries.invalidateQueries(trpc.security.signingKeys.pathFilter()))
  const shared = config?.variables.some(({ name, value }) => name === 'JWT_SECRET' && value !== null) ?? false
  useAsked('rotate', () => setRotating(true), manage && config !== undefined && !shared)
  return (
    <>
      <PageHeader
        title="Signing keys"
        lead={
          shared
            ? 'Access tokens are signed with the secret of the configuration.'
            : 'They sign access tokens. A new one is made every 30 days, without a sign-out.'
        }
        actions={
          manage && !shared ? (
            <Button variant="primary" onClick={() => setRotating(true)}>
              Rotate now
            </Button>
          ) : null
        }
      />
      {shared ? (
        <Callout tone="off" title="JWT_SECRET is set: it is rotated by hand">
          Set another secret and restart every instance. Access tokens of before stop working; browsers get
          new ones by themselves. Without JWT_SECRET Holdfast makes its own keys, rotates them and publishes
          them at <Mono>/.well-known/jwks.json</Mono>.
        </Callout>
      ) : (
        <>
          <Keys keys={keys} />
          <p className="mt-3 max-w-prose text-muted">
            Applications verify tokens with the keys at{' '}
            <a href="/.well-known/jwks.json" className="underline underline-offset-4 hover:text-text">
              <Mono>/.well-known/jwks.json</Mono>
            </a>
            .{manage ? '' : ' Only an admin can rotate them.'}
          </p>
        </>
      )}
      {rotating ? <RotateDialog onClose={() => setRotating(false)} /> : null}
    </>
  )
}

function Keys({
  keys,
}: {
  keys: { data?: SigningKey[]; error: unknown; isPending: boolean; refetch: () => unknown }
}) {
  if (!keys.data) {
    if (keys.isPending) return <Skeleton className="h-32 w-full" label="Reading the keys" />
    return <ErrorTile error={keys.error} what="Signing keys" onRetry={keys.refetch} />
  }
  return (
    <Table
      caption="Signing keys"
      density="roomy"
      columns={columns}
      rows={keys.data}
      rowKey={({ id }) => id}
      empty={
        <Empty kind="no-data" title="No key has been made yet">
          The first sign-in makes one.
        </Empty>
      }
    />
  )
}
