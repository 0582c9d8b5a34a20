'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLiveEvent } from '@/components/live/live'
import { byArea } from '@/components/security/words'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { type Column, Table } from '@/components/ui/table'
import { Mono } from '@/components/ui/text'
import { RelativeTime, Time } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'
import { useDrawer } from '@/components/ui/url-state'
import { KeyDrawer, KeyState } from './key-drawer'
import { type ApiKey, permissionsInWords } from './words'

export function KeyList() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const keys = useQuery(trpc.security.apiKeys.queryOptions())
  const { data: me } = useQuery(trpc.auth.me.queryOptions())
  const [revoking, setRevoking] = useState<ApiKey>()
  const drawer = useDrawer('key')
  useLiveEvent('audit', () => void queries.invalidateQueries(trpc.security.apiKeys.pathFilter()))
  if (!keys.data) {
    if (keys.isPending) return <Skeleton className="h-64 w-full" label="Reading the keys" />
    return <ErrorTile error={keys.error} what="API keys" onRetry={() => keys.refetch()} />
  }
  return (
    <>
      <Table
        caption="API keys"
        density="roomy"
        columns={columnsOf(byArea(me?.permissions ?? []).length, setRevoking)}
        rows={keys.data}
        rowKey={({ id }) => id}
        onOpen={({ id }) => drawer.open(id)}
        selected={drawer.id ?? undefined}
        empty={
          <Empty kind="no-data" title="There is no API key yet">
            A program that uses the console needs one.
          </Empty>
        }
      />
      <KeyDrawer
        id={drawer.id}
        apiKey={keys.data.find(({ id }) => id === drawer.id)}
        onRevoke={setRevoking}
        onClose={drawer.close}
      />
      {revoking ? <RevokeDialog apiKey={revoking} onClose={() => setRevoking(undefined)} /> : null}
    </>
  )
}

function columnsOf(areas: number, onRevoke: (key: ApiKey) => void): Column<ApiKey>[] {
  return [
    {
      key: 'name',
      header: 'Key',
      rowHeader: true,
      cell: ({ name, prefix }) => (
        <>
          <span className="block">{name}</span>
          <Mono className="block text-muted">{prefix}…</Mono>
        </>
      ),
    },
    { key: 'state', header: 'State', cell: (key) => <KeyState apiKey={key} /> },
    {
      key: 'may',
      header: 'May',
      cell: ({ permissions, action }) => (
        <span className="block min-w-48 whitespace-normal">
          {permissionsInWords(permissions, areas)}
          {action ? (
            <span className="block text-muted">
              without a second factor: <Mono>{action}</Mono>
            </span>
          ) : null}
        </span>
      ),
    },
    { key: 'owner', header: 'Owner', cell: ({ owner }) => owner },
    {
      key: 'made',
      header: 'Made',
      numeric: true,
      cell: ({ createdAt }) => <Time at={createdAt} only="date" />,
    },
    {
      key: 'expires',
      header: 'Ends',
      numeric: true,
      cell: ({ expiresAt }) => <Time at={expiresAt} only="date" />,
    },
    {
      key: 'used',
      header: 'Last use',
      numeric: true,
      cell: ({ lastUsedAt, lastAddress }) =>
        lastUsedAt === null ? (
          <span className="text-muted">never</span>
        ) : (
          <>
            <RelativeTime at={lastUsedAt} />
            <span className="block font-mono text-note text-muted">{lastAddress}</span>
          </>
        ),
    },
    {
      key: 'revoke',
      header: <span className="sr-only">Revoke</span>,
      className: 'text-right',
      cell: (key) =>
        key.revokedAt === null ? (
          <Button
            size="small"
            aria-label={`Revoke the key ${key.name}`}
            onClick={(event) => {
              // The row's own click opens the key.
              event.stopPropagation()
              onRevoke(key)
            }}
          >
            Revoke
          </Button>
        ) : null,
    },
  ]
}

function RevokeDialog({ apiKey: { id, name, owner }, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const trpc = useTRPC()
  const { security } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title="Revoke the API key"
      effect={`The program that uses it is refused at once, for good. It acted for ${owner}.`}
      confirmName={name}
      confirmLabel="Revoke the key"
      onConfirm={async () => {
        await security.revokeApiKey.mutate({ id })
        toast({ text: `The key ${name} is revoked.`, tone: 'ok' })
        await queries.invalidateQueries(trpc.security.apiKeys.pathFilter())
      }}
    />
  )
}
