'use client'

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { methodWords } from '@/components/auth/methods'
import { useAsked } from '@/components/shell/use-asked'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import { RelativeTime, Time } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'
import type { RouterOutputs } from '@/server/routers/_app'

type SessionEntry = RouterOutputs['account']['sessions'][number]

/** Where one is signed in, and a way to end it there. */
export function Sessions() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const toast = useToast()
  const [ending, setEnding] = useState<SessionEntry | 'others'>()
  const { data: sessions, error, refetch } = useQuery(trpc.account.sessions.queryOptions())
  const endOne = useMutation(trpc.account.endSession.mutationOptions())
  const endOthers = useMutation(trpc.account.endOtherSessions.mutationOptions())
  const others = sessions?.filter((session) => !session.current).length
  useAsked('end-others', () => setEnding('others'), (others ?? 0) > 0)

  async function confirm() {
    try {
      if (ending === 'others') {
        const { ended } = await endOthers.mutateAsync()
        toast({ text: `${formatCount(ended, 'session')} ended.` })
      } else if (ending) {
        await endOne.mutateAsync({ sessionId: ending.id })
        toast({ text: `The session of ${ending.device} ended.` })
      }
    } finally {
      await queries.invalidateQueries(trpc.account.sessions.queryFilter())
    }
  }

  return (
    <Section
      title="Sessions"
      note="An ended session can do nothing more, at once."
      actions={
        <Button
          disabled={!others}
          title={others === 0 ? 'You are signed in here alone' : undefined}
          onClick={() => setEnding('others')}
        >
          End all others
        </Button>
      }
    >
      {sessions ? (
        <Table
          caption="Your sessions"
          density="roomy"
          columns={columns(setEnding)}
          rows={sessions}
          rowKey={(session) => session.id}
        />
      ) : error ? (
        <ErrorTile error={error} what="Your sessions" onRetry={() => refetch()} />
      ) : (
        <Skeleton className="h-32 w-full" label="Loading your sessions" />
      )}
      <ConfirmDialog
        open={ending !== undefined}
        onClose={() => setEnding(undefined)}
        title={ending === 'others' ? 'End all other sessions?' : 'End this session?'}
        effect={
          ending === 'others'
            ? `You stay signed in here. ${others === 1 ? 'One other session has' : `${others} other sessions have`} to sign in again.`
            : `${ending?.device ?? ''} at ${ending?.address ?? ''} is signed out at once.`
        }
        confirmLabel={ending === 'others' ? 'End all others' : 'End session'}
        onConfirm={confirm}
      />
    </Section>
  )
}

const columns = (onEnd: (session: SessionEntry) => void): Column<SessionEntry>[] => [
  { key: 'device', header: 'Device', className: 'whitespace-nowrap', cell: (session) => session.device },
  {
    key: 'address',
    header: 'Address',
    cell: (session) => <span className="font-mono whitespace-nowrap">{session.address}</span>,
  },
  {
    key: 'methods',
    header: 'Signed in by',
    className: 'whitespace-nowrap',
    cell: (session) => methodWords(session.methods),
  },
  {
    key: 'first',
    header: 'First use',
    className: 'whitespace-nowrap',
    cell: (session) => <Time at={session.createdAt} />,
  },
  { key: 'last', header: 'Last use', cell: (session) => <RelativeTime at={session.lastUsedAt} /> },
  {
    key: 'end',
    header: <span className="sr-only">End</span>,
    className: 'text-right',
    cell: (session) =>
      session.current ? (
        <Status kind="ok">This one</Status>
      ) : (
        <Button
          size="small"
          aria-label={`End the session of ${session.device} at ${session.address}`}
          onClick={() => onEnd(session)}
        >
          End
        </Button>
      ),
  },
]
