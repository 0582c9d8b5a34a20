'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Channel } from '@/components/alerts/words'
import { useLiveEvent } from '@/components/live/live'
import { useMayManage } from '@/components/security/use-may-manage'
import { useAsked } from '@/components/shell/use-asked'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { TileBoundary } from '@/components/ui/error-tile'
import { PageHeader } from '@/components/ui/text'
import { AlertList } from './alert-list'
import { ChannelDialog } from './channel-dialog'
import { ChannelList } from './channel-list'
import { DeliveryList } from './delivery-list'
import { type MadeSecret, SecretOnce } from './secret-once'

/** What was told, to whom, and what did not arrive. */
export function AlertsView() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const manage = useMayManage()
  const { data: me } = useQuery(trpc.auth.me.queryOptions())
  const operate = me?.permissions.includes('security:operate') ?? false
  const [editing, setEditing] = useState<Channel | 'new'>()
  const [made, setMade] = useState<MadeSecret>()
  useLiveEvent('audit', () => void queries.invalidateQueries(trpc.security.alerts.pathFilter()))
  useAsked('add', () => setEditing('new'), manage)
  return (
    <>
      <PageHeader
        title="Alerts"
        lead="What findings are told of: here in the console, by webhook and by mail."
        actions={
          manage ? (
            <Button variant="primary" onClick={() => setEditing('new')}>
              Add a channel
            </Button>
          ) : null
        }
      />
      <TileBoundary what="Alerts">
        <AlertList operate={operate} />
      </TileBoundary>
      <TileBoundary what="Channels">
        <ChannelList operate={operate} manage={manage} onEdit={setEditing} onSecret={setMade} />
      </TileBoundary>
      <TileBoundary what="Deliveries">
        <DeliveryList operate={operate} />
      </TileBoundary>
      {editing ? (
        <ChannelDialog
          channel={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
          onDone={(secret) => {
            setEditing(undefined)
            setMade(secret)
          }}
        />
      ) : null}
      {made ? <SecretOnce made={made} onClose={() => setMade(undefined)} /> : null}
    </>
  )
}
