'use client'

import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useMay } from '@/components/auth/use-may'
import { StatementText } from '@/components/database/statement-text'
import type { ServerSession } from '@/components/database/types'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { Drawer } from '@/components/ui/drawer'
import { Empty } from '@/components/ui/empty'
import { errorFacts } from '@/components/ui/error-facts'
import { ErrorText } from '@/components/ui/error-text'
import { formatDuration, MISSING } from '@/components/ui/format'
import { plainLink } from '@/components/ui/plain-link'
import { KeyValue, Mono } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'
import { type ReachableSession, TerminateDialog } from './terminate-dialog'
import type { TreeRow } from './tree'
import { ageOf, pidWords, SessionState } from './words'

/** One session: what it does, whom it waits for, and what an operator can do about it. */
export function SessionDrawer({
  id,
  row,
  at,
  onOpen,
  onClose,
}: {
  /** From the URL; null when it is closed. */
  id: string | null
  row: TreeRow | undefined
  /** When the sessions were read. */
  at: number
  onOpen: (pid: number) => void
  onClose: () => void
}) {
  const { operate } = useMay('database')
  // Kept here: what went wrong stays to be read when the session has left the list.
  const [terminating, setTerminating] = useState<ReachableSession>()
  const target = row && reachable(row.session)
  return (
    <>
      <Drawer
        open={id !== null}
        onClose={onClose}
        title={row ? `Session ${row.session.pid}` : 'Session'}
        subtitle={row ? <SessionState state={row.session.state} /> : undefined}
        footer={
          target && operate ? (
            <Actions key={id} session={target} onTerminate={() => setTerminating(target)} />
          ) : undefined
        }
      >
        {row ? (
          <Detail row={row} at={at} onOpen={onOpen} />
        ) : (
          <Empty kind="no-match" title="This session has ended">
            The list shows who is there now.
          </Empty>
        )}
      </Drawer>
      {terminating ? (
        <TerminateDialog session={terminating} onClose={() => setTerminating(undefined)} />
      ) : null}
    </>
  )
}

function Detail({
  row: { session, holdsUp, inCycle },
  at,
  onOpen,
}: {
  row: TreeRow
  at: number
  onOpen: (pid: number) => void
}) {
  const { transactionStartedAt, statementStartedAt, waitsFor, blockedBy } = session
  return (
    <>
      {session.ours ? (
        <div className="mb-4">
          <Callout tone="warn" title="A connection of this console">
            Whatever uses it now fails if it is ended. The pool opens another.
          </Callout>
        </div>
      ) : null}
      {inCycle ? (
        <div className="mb-4">
          <Callout tone="bad" title="Deadlock">
            It waits for itself through others. The server ends one of them within about a second.
          </Callout>
        </div>
      ) : null}
      {session.statement !== null ? (
        <StatementText sql={session.statement} />
      ) : session.startedAt === null ? (
        <Empty kind="no-permission" title="The store’s role may not see what this session does, nor end it" />
      ) : (
        <p className="text-muted">It has run no statement yet.</p>
      )}
      <KeyValue
        className="mt-4"
        items={[
          {
            label: session.state === 'active' ? 'Statement runs for' : 'Last statement began',
            value:
              statementStartedAt === null ? (
                MISSING
              ) : session.state === 'active' ? (
                formatDuration(ageOf(statementStartedAt, at))
              ) : (
                <Time at={statementStartedAt} />
              ),
          },
          {
            label: 'Transaction open for',
            value:
              transactionStartedAt === null
                ? 'no transaction'
                : formatDuration(ageOf(transactionStartedAt, at)),
          },
          { label: 'Waits for', value: waitsFor ?? 'nothing' },
          {
            label: 'Waits for the locks of',
            value:
              blockedBy.length === 0 ? (
                'nobody'
              ) : (
                <span className="flex flex-wrap gap-x-3">
                  {blockedBy.map((pid) =>
                    pid === 0 ? (
                      <span key={pid}>{pidWords(pid)}</span>
                    ) : (
                      <button
                        key={pid}
                        type="button"
                        className={`min-h-6 tabular-nums ${plainLink}`}
                        onClick={() => onOpen(pid)}
                      >
                        {pid}
                      </button>
                    ),
                  )}
                </span>
              ),
          },
          { label: 'Sessions that wait for it', value: holdsUp },
          { label: 'User', value: session.user ?? 'not to be seen' },
          { label: 'Application', value: session.application || MISSING },
          { label: 'Database', value: session.database ?? MISSING },
          {
            label: 'Client',
            value: session.client === null ? 'local socket' : <Mono>{session.client}</Mono>,
          },
          {
            label: 'Connected',
            value: session.startedAt === null ? MISSING : <Time at={session.startedAt} />,
          },
        ]}
      />
    </>
  )
}

/** A session that can be named to the server; null where the role may not see since when it is there. */
function reachable(session: ServerSession): ReachableSession | null {
  const { startedAt } = session
  return startedAt === null ? null : { ...session, startedAt }
}

function Actions({ session, onTerminate }: { session: ReachableSession; onTerminate: () => void }) {
  const trpc = useTRPC()
  const { database } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const [failure, setFailure] = useState<{ error: unknown }>()
  const { pid, startedAt, state } = session
  async function cancel() {
    setFailure(undefined)
    try {
      await database.cancelSession.mutate({ pid, startedAt })
      toast({ text: `The statement of session ${pid} was cancelled.`, tone: 'ok' })
    } catch (error) {
      const { code, message } = errorFacts(error)
      if (code === 'NOT_FOUND') toast({ text: message })
      else setFailure({ error })
    } finally {
      await queries.invalidateQueries(trpc.database.sessions.pathFilter())
    }
  }
  return (
    <>
      <div role="alert" className="w-full empty:hidden">
        {failure ? <ErrorText error={failure.error} /> : null}
      </div>
      <Button
        onClick={cancel}
        disabled={state !== 'active'}
        title={
          state === 'active'
            ? 'The session goes on, its statement ends with an error'
            : 'It runs no statement'
        }
      >
        Cancel statement
      </Button>
      <Button variant="danger" onClick={onTerminate}>
        Terminate session…
      </Button>
    </>
  )
}
