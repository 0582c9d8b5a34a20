'use client'

import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLiveEvent } from '@/components/live/live'
import { useMayManage } from '@/components/security/use-may-manage'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { errorFacts } from '@/components/ui/error-facts'
import { ErrorTile } from '@/components/ui/error-tile'
import { Field, Select } from '@/components/ui/field'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { PageHeader } from '@/components/ui/text'
import { useSort, useUrlState } from '@/components/ui/url-state'
import { EndDialog, type Ending } from './end-dialog'
import { sessionsOf } from './filter'
import { sessionColumns, sorted } from './session-columns'

/** Everybody's live sessions, or one user's. */
export function SessionsView() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const manage = useMayManage()
  const { params, change } = useUrlState()
  const userId = params.get('user')
  const sessions = useQuery(
    trpc.security.sessions.queryOptions(sessionsOf(userId), { placeholderData: keepPreviousData }),
  )
  const { data: users } = useQuery(trpc.security.users.queryOptions())
  const { data: me } = useQuery(trpc.auth.me.queryOptions())
  const { sort, onSort } = useSort({ by: 'last', direction: 'desc' })
  const [ending, setEnding] = useState<Ending>()
  useLiveEvent('audit', () => void queries.invalidateQueries(trpc.security.sessions.pathFilter()))

  const chosen = users?.find(({ id }) => id === userId)
  const everybody = () => change({ user: null })
  const { data } = sessions
  // Another word than an id in the address: no such user, not a fault.
  const unknown = userId !== null && errorFacts(sessions.error).code === 'BAD_INPUT'
  return (
    <>
      <PageHeader
        title="Sessions"
        lead={`Where everybody is signed in. An ended session can do nothing more, at once.${manage ? '' : ' Only an admin can end those of others.'}`}
      />
      <search className="mb-3 flex flex-wrap items-end gap-3">
        <Field label="User" className="w-full sm:w-72">
          <Select value={userId ?? ''} onChange={({ target }) => change({ user: target.value || null })}>
            <option value="">Everybody</option>
            {userId !== null && !chosen ? <option value={userId}>Unknown user</option> : null}
            {users?.map(({ id, email }) => (
              <option key={id} value={id}>
                {email}
              </option>
            ))}
          </Select>
        </Field>
        <p role="status" className="flex h-8 items-center text-muted">
          {data && !unknown ? formatCount(data.length, 'live session') : ''}
        </p>
        {manage && chosen && data ? (
          <Button
            className="sm:ml-auto"
            disabled={data.length === 0}
            title={data.length === 0 ? 'There is none' : undefined}
            onClick={() => setEnding({ all: chosen, count: data.length, isMe: chosen.id === me?.userId })}
          >
            End all of this user
          </Button>
        ) : null}
      </search>
      {sessions.isPending ? <Skeleton className="h-96 w-full" label="Reading the sessions" /> : null}
      {sessions.isError && !unknown && !data ? (
        <ErrorTile error={sessions.error} what="Sessions" onRetry={() => sessions.refetch()} />
      ) : null}
      {data || unknown ? (
        <Table
          caption="Live sessions"
          density="roomy"
          columns={sessionColumns({
            mine: me?.sessionId,
            onEnd: manage ? (one) => setEnding({ one }) : undefined,
          })}
          rows={unknown ? [] : sorted(data ?? [], sort)}
          rowKey={({ id }) => id}
          sort={sort}
          onSort={onSort}
          empty={
            <Empty
              kind="no-match"
              title={chosen ? `${chosen.email} is signed in nowhere` : 'There is no session of such a user'}
              action={userId ? <Button onClick={everybody}>Show everybody</Button> : undefined}
            />
          }
        />
      ) : null}
      {ending ? <EndDialog ending={ending} onClose={() => setEnding(undefined)} /> : null}
    </>
  )
}
