'use client'

import { useQueryClient } from '@tanstack/react-query'
import type { ServerSession } from '@/components/database/types'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Callout } from '@/components/ui/callout'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { useToast } from '@/components/ui/toast'

/** A session that the role can name, and so end. */
export type ReachableSession = ServerSession & { startedAt: number }

/** Ends one session of the server. That it has gone by itself meanwhile is said in the dialog. */
export function TerminateDialog({ session, onClose }: { session: ReachableSession; onClose: () => void }) {
  const trpc = useTRPC()
  const { database } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const { pid, startedAt } = session
  async function terminate() {
    try {
      await database.terminateSession.mutate({ pid, startedAt })
      toast({ text: `Session ${pid} was ended.`, tone: 'ok' })
    } finally {
      await queries.invalidateQueries(trpc.database.sessions.pathFilter())
    }
  }
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={`Terminate session ${pid}?`}
      effect={<Effect session={session} />}
      confirmLabel="Terminate session"
      onConfirm={terminate}
    />
  )
}

function Effect({ session: { user, application, transactionStartedAt, ours } }: { session: ServerSession }) {
  const who = [user ?? 'an unknown user', application].filter((word) => word !== '').join(', ')
  return (
    <>
      <p>
        {`The connection of ${who} ends at once. `}
        {transactionStartedAt === null
          ? 'It has no open transaction: nothing is lost.'
          : 'Its open transaction is rolled back: what was not committed is lost.'}
      </p>
      {ours ? (
        <div className="mt-3">
          <Callout tone="warn" title="It is one of this console’s own connections">
            What the console does over it now fails; the pool opens another.
          </Callout>
        </div>
      ) : null}
    </>
  )
}
