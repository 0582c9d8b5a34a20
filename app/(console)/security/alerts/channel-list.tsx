'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Channel } from '@/components/alerts/words'
import { saysOf } from '@/components/auth/client'
import { useStepUp } from '@/components/auth/step-up'
import { severityWords } from '@/components/security/severity-words'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatCount } from '@/components/ui/format'
import { Menu } from '@/components/ui/menu'
import { Skeleton } from '@/components/ui/skeleton'
import { Status, type StatusKind } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { RelativeTime } from '@/components/ui/time'
import type { MadeSecret } from './secret-once'

interface Tested {
  name: string
  ok: boolean
  text: string
}

/** Where alerts go, how each fares, and what can be done with it. */
export function ChannelList({
  operate,
  manage,
  onEdit,
  onSecret,
}: {
  operate: boolean
  manage: boolean
  onEdit: (channel: Channel) => void
  onSecret: (made: MadeSecret) => void
}) {
  const trpc = useTRPC()
  const { security } = useTRPCClient()
  const queries = useQueryClient()
  const { ask, dialog } = useStepUp()
  const channels = useQuery(
    trpc.security.alerts.channels.queryOptions(undefined, {
      // As with deliveries: what arrives makes no audit event.
      refetchInterval: ({ state: { data } }) => (data?.some(({ pending }) => pending > 0) ? 3_000 : false),
    }),
  )
  const [tested, setTested] = useState<Tested>()
  const refresh = () => queries.invalidateQueries(trpc.security.alerts.pathFilter())

  const test = async ({ id, name }: Channel) => {
    setTested(undefined)
    try {
      const { ok, answer, error, tookMs } = await security.alerts.testChannel.mutate({ id })
      const said = ok ? `The receiver answered ${answer} after ${tookMs} ms.` : (error ?? '')
      setTested({ name, ok, text: said })
    } catch (error) {
      setTested({ name, ok: false, text: saysOf(error) })
    }
    await refresh()
  }
  const remove = ({ id, name }: Channel) =>
    ask({
      action: 'security.alerts.removeChannel',
      input: { id },
      label: 'Remove the channel',
      title: `Remove ${name}`,
      effect: 'No alert goes there any more, and what was sent there is forgotten.',
      variant: 'danger',
      run: async (grantId) => {
        await security.alerts.removeChannel.mutate({ id }, { context: { stepUp: grantId } })
        await refresh()
      },
    })
  const rotate = ({ id, name }: Channel) =>
    ask({
      action: 'security.alerts.rotateSecret',
      input: { id },
      label: 'Make a new secret',
      title: `New signing secret of ${name}`,
      effect: 'Messages are signed with both secrets for a day, so that the receiver can change over.',
      run: async (grantId) => {
        const made = await security.alerts.rotateSecret.mutate({ id }, { context: { stepUp: grantId } })
        onSecret({ channel: name, ...made })
        await refresh()
      },
    })
  return (
    <Section title="Channels" note="Where alerts go beside the console.">
      {channels.isPending ? <Skeleton className="h-32 w-full" label="Reading the channels" /> : null}
      {channels.isError && !channels.data ? (
        <ErrorTile error={channels.error} what="Channels" onRetry={() => channels.refetch()} />
      ) : null}
      <div role="status" className="mb-3 empty:hidden">
        {tested ? (
          <Callout
            tone={tested.ok ? 'ok' : 'bad'}
            title={
              tested.ok ? `The test of ${tested.name} arrived` : `The test of ${tested.name} did not arrive`
            }
          >
            {tested.text}
          </Callout>
        ) : null}
      </div>
      {channels.data ? (
        <Table
          caption="Channels"
          density="roomy"
          columns={columnsOf({
            onTest: operate ? test : undefined,
            more: manage ? { onEdit, onRotate: rotate, onRemove: remove } : undefined,
          })}
          rows={channels.data}
          rowKey={({ id }) => id}
          rowTone={(channel) => (stateOf(channel).kind === 'bad' ? 'bad' : undefined)}
          empty={
            <Empty kind="not-enabled" title="There is no channel yet">
              {manage
                ? 'Alerts stand in the console alone. Add a webhook or a mailbox.'
                : 'Alerts stand in the console alone. An admin can add a webhook or a mailbox.'}
            </Empty>
          }
        />
      ) : null}
      {dialog}
    </Section>
  )
}

interface Acts {
  onTest: ((channel: Channel) => unknown) | undefined
  more:
    | {
        onEdit: (channel: Channel) => void
        onRotate: (channel: Channel) => void
        onRemove: (channel: Channel) => void
      }
    | undefined
}

function columnsOf({ onTest, more }: Acts): Column<Channel>[] {
  return [
    {
      key: 'name',
      header: 'Channel',
      rowHeader: true,
      cell: (channel) => (
        <>
          <span className="block">{channel.name}</span>
          <Mono className="block font-normal text-muted">{placeOf(channel)}</Mono>
        </>
      ),
    },
    {
      key: 'state',
      header: 'State',
      cell: (channel) => (
        <span className="block min-w-48 whitespace-normal">
          <Status kind={stateOf(channel).kind}>{stateOf(channel).word}</Status>
          {channel.disabledReason || channel.lastError ? (
            <span className="block text-note text-muted">{channel.disabledReason ?? channel.lastError}</span>
          ) : null}
        </span>
      ),
    },
    { key: 'from', header: 'Takes', cell: ({ leastSeverity }) => takes(leastSeverity) },
    {
      key: 'last',
      header: 'Last delivery',
      numeric: true,
      cell: ({ lastDelivery }) =>
        lastDelivery === null ? (
          <span className="text-muted">never</span>
        ) : (
          <>
            <RelativeTime at={lastDelivery.at} />
            {lastDelivery.tookMs === null ? null : (
              <span className="block text-note text-muted">in {lastDelivery.tookMs} ms</span>
            )}
          </>
        ),
    },
    {
      key: 'act',
      header: <span className="sr-only">Actions</span>,
      className: 'text-right',
      cell: (channel) => (
        <span className="inline-flex items-center justify-end gap-2">
          {onTest ? (
            <Button size="small" aria-label={`Test ${channel.name}`} onClick={() => onTest(channel)}>
              Test
            </Button>
          ) : null}
          {more ? (
            <Menu
              label={`Change ${channel.name}`}
              items={[
                { label: 'Edit', onSelect: () => more.onEdit(channel) },
                ...(channel.kind === 'webhook'
                  ? [{ label: 'New signing secret', onSelect: () => more.onRotate(channel) }]
                  : []),
                { kind: 'rule' },
                { label: 'Remove', danger: true, onSelect: () => more.onRemove(channel) },
              ]}
            >
              <span aria-hidden="true">⋯</span>
            </Menu>
          ) : null}
        </span>
      ),
    },
  ]
}

function placeOf(channel: Channel): string {
  if (channel.kind === 'webhook') return `${channel.config.origin}/…`
  const [first = '', ...others] = channel.config.to
  return others.length > 0 ? `${first} and ${formatCount(others.length, 'other')}` : first
}

function stateOf({ enabled, disabledReason, dead, pending, lastError }: Channel): {
  kind: StatusKind
  word: string
} {
  if (!enabled) return disabledReason ? { kind: 'bad', word: 'Switched off' } : { kind: 'off', word: 'Off' }
  if (dead > 0) return { kind: 'bad', word: `${formatCount(dead, 'alert')} not delivered` }
  if (pending > 0 && lastError) return { kind: 'warn', word: `${formatCount(pending, 'alert')} waiting` }
  return { kind: 'ok', word: 'On' }
}

function takes(least: Channel['leastSeverity']): string {
  if (least === 'info') return 'Every alert'
  if (least === 'critical') return 'Critical alone'
  return `${severityWords[least]} and above`
}
