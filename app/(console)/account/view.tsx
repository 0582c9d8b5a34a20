'use client'

import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useSession } from '@/components/auth/session'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { Status } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { KeyValue, Mono, PageHeader, Section } from '@/components/ui/text'
import { RelativeTime, Time } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'
import type { RouterOutputs } from '@/server/routers/_app'

type SessionEntry = RouterOutputs['security']['sessions'][number]

/** How a session was signed in, after RFC 8176, in words. */
const methodWords: Record<string, string> = { pwd: 'Password', otp: 'One-time code', hwk: 'Passkey' }

export function Account() {
  const trpc = useTRPC()
  const { data: me } = useSuspenseQuery(trpc.auth.me.queryOptions())
  const { data: sessions } = useSuspenseQuery(trpc.security.sessions.queryOptions())
  const { signOut } = useSession()
  return (
    <>
      <PageHeader
        title="Account"
        lead="Who you are here, and where you are signed in."
        actions={<Button onClick={signOut}>Sign out</Button>}
      />
      <Section title="You">
        <KeyValue
          items={[
            { label: 'Name', value: me.name },
            { label: 'E-mail', value: <Mono>{me.email}</Mono> },
            { label: 'Role', value: me.role },
            {
              label: 'Signed in by',
              value: me.methods.map((method) => methodWords[method] ?? method).join(', '),
            },
            { label: 'This session ends', value: <Time at={me.expiresAt} withZone /> },
          ]}
        />
      </Section>
      <Sessions sessions={sessions} />
    </>
  )
}

function Sessions({ sessions }: { sessions: SessionEntry[] }) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const toast = useToast()
  const [ending, setEnding] = useState<SessionEntry | 'others'>()
  const endOne = useMutation(trpc.security.endSession.mutationOptions())
  const endOthers = useMutation(trpc.security.endOtherSessions.mutationOptions())
  const others = sessions.filter((session) => !session.current).length

  async function confirm() {
    try {
      if (ending === 'others') {
        const { ended } = await endOthers.mutateAsync()
        toast({ text: ended === 1 ? 'One session ended.' : `${ended} sessions ended.` })
      } else if (ending) {
        await endOne.mutateAsync({ sessionId: ending.id })
        toast({ text: `The session of ${ending.device} ended.` })
      }
    } finally {
      await queries.invalidateQueries(trpc.security.sessions.pathFilter())
    }
  }

  const columns: Column<SessionEntry>[] = [
    { key: 'device', header: 'Device', className: 'whitespace-nowrap', cell: (session) => session.device },
    {
      key: 'address',
      header: 'Address',
      cell: (session) => <span className="font-mono whitespace-nowrap">{session.address}</span>,
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
            onClick={() => setEnding(session)}
          >
            End
          </Button>
        ),
    },
  ]
  return (
    <Section
      title="Sessions"
      note="An ended session can do nothing more, at once."
      actions={
        <Button
          disabled={others === 0}
          title={others === 0 ? 'You are signed in here alone' : undefined}
          onClick={() => setEnding('others')}
        >
          End all others
        </Button>
      }
    >
      <Table
        caption="Your sessions"
        density="roomy"
        columns={columns}
        rows={sessions}
        rowKey={(session) => session.id}
      />
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
