'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { useStepUp } from '@/components/auth/step-up'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Dialog } from '@/components/ui/dialog'
import { ErrorTile } from '@/components/ui/error-tile'
import { Field, Input } from '@/components/ui/field'
import { formatCount, formatNumber } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Time } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'

const MOST_DAYS = 3_650

/** How long events are kept, and where the log begins; an admin changes it, or deletes older ones now. */
export function RetentionDialog({
  manage,
  ask,
  onClose,
}: {
  manage: boolean
  ask: ReturnType<typeof useStepUp>['ask']
  onClose: () => void
}) {
  const trpc = useTRPC()
  const retention = useQuery(trpc.security.audit.retention.queryOptions())
  const { data } = retention
  return (
    <Dialog open onClose={onClose} title="Retention" actions={<Button onClick={onClose}>Close</Button>}>
      {retention.isError ? (
        <ErrorTile error={retention.error} what="Retention" onRetry={() => retention.refetch()} />
      ) : data ? (
        <>
          <p>
            {data.days === null
              ? 'All events are kept.'
              : `Events older than ${formatCount(data.days, 'day')} are deleted once a day.`}{' '}
            {data.edge ? (
              <>
                The log begins after #{formatNumber(data.edge.seq)}: what came before was deleted by{' '}
                {data.edge.by} on <Time at={data.edge.at} withZone />.
              </>
            ) : (
              'Nothing was ever deleted.'
            )}
          </p>
          {manage ? (
            <Change days={data.days} ask={ask} onClose={onClose} />
          ) : (
            <p className="text-muted">Only an admin can change it.</p>
          )}
        </>
      ) : (
        <Skeleton className="h-32 w-full" label="Reading the retention" />
      )}
    </Dialog>
  )
}

function Change({
  days,
  ask,
  onClose,
}: {
  days: number | null
  ask: ReturnType<typeof useStepUp>['ask']
  onClose: () => void
}) {
  const trpc = useTRPC()
  const client = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const [typed, setTyped] = useState(days === null ? '' : String(days))
  const wanted = typed.trim() === '' ? null : Number(typed)
  const fits = wanted === null || (Number.isInteger(wanted) && wanted >= 1 && wanted <= MOST_DAYS)
  const changed = () => queries.invalidateQueries(trpc.security.pathFilter())

  const save = (event: FormEvent) => {
    event.preventDefault()
    if (!fits || wanted === days) return
    onClose()
    ask({
      action: 'security.audit.setRetention',
      input: { days: wanted },
      label: wanted === null ? 'Keep all events' : `Keep ${formatCount(wanted, 'day')}`,
      effect:
        wanted === null
          ? 'No event is deleted any more.'
          : `Once a day, events older than ${formatCount(wanted, 'day')} are deleted for good. An export made before keeps them.`,
      variant: wanted === null ? 'primary' : 'danger',
      run: async (stepUp) => {
        await client.security.audit.setRetention.mutate({ days: wanted }, { context: { stepUp } })
        await changed()
        toast({ text: 'The retention is changed.', tone: 'ok' })
      },
    })
  }
  const prune = () => {
    if (!fits || wanted === null) return
    onClose()
    ask({
      action: 'security.audit.prune',
      input: { days: wanted },
      title: 'Delete old events now',
      label: 'Delete events',
      confirmName: 'audit log',
      effect: `Events older than ${formatCount(wanted, 'day')} are deleted for good, up to the last checkpoint. The log says who did it.`,
      variant: 'danger',
      run: async (stepUp) => {
        const { events } = await client.security.audit.prune.mutate({ days: wanted }, { context: { stepUp } })
        await changed()
        toast({
          text: events === 0 ? 'No event was that old.' : `${formatCount(events, 'event')} deleted.`,
          tone: 'ok',
        })
      },
    })
  }
  return (
    <form method="post" onSubmit={save} className="flex flex-col gap-4">
      <Field
        label="Days to keep"
        hint="Empty keeps all events."
        error={
          fits ? undefined : `Enter a whole number of days from 1 to ${formatNumber(MOST_DAYS)}, or nothing.`
        }
      >
        <Input inputMode="numeric" value={typed} onChange={({ target }) => setTyped(target.value)} />
      </Field>
      <div className="flex flex-wrap gap-2">
        <Button type="submit" variant="primary" disabled={!fits || wanted === days}>
          Change retention
        </Button>
        <Button disabled={!fits || wanted === null} onClick={prune}>
          Delete older ones now
        </Button>
      </div>
    </form>
  )
}
