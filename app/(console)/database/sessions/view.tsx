'use client'

import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { MissingNote } from '@/components/database/missing-note'
import { useLive } from '@/components/live/live'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { PageHeader } from '@/components/ui/text'
import { ReadAt } from '@/components/ui/time'
import { useDrawer } from '@/components/ui/url-state'
import type { RouterOutputs } from '@/server/routers/_app'
import { chosen } from './choose'
import { SessionFilterBar, useSessionFilter } from './filter-bar'
import { ServerRow } from './server-row'
import { sessionColumns } from './session-columns'
import { SessionDrawer } from './session-drawer'
import { blockedByTree, sessionKey, type TreeRow } from './tree'
import { useHeld } from './use-held'

const PERIOD_MS = 2_000

/** Sessions of all clients of the server, with who waits for whom. */
export function SessionsView() {
  const trpc = useTRPC()
  const { connection } = useLive()
  const sessions = useQuery(
    trpc.database.sessions.queryOptions(undefined, {
      refetchInterval: connection === 'paused' ? false : PERIOD_MS,
    }),
  )
  const { data, error, dataUpdatedAt } = sessions
  return (
    <>
      <PageHeader
        title="Sessions"
        lead={
          data ? (
            <>
              Who is connected, and who waits for whom. <ReadAt at={dataUpdatedAt} />
            </>
          ) : undefined
        }
      />
      {data?.missing?.kind === 'not-here' ? (
        <Empty kind="not-enabled" title="There are no sessions on SQLite">
          {data.missing.message}
        </Empty>
      ) : (
        <>
          <TileBoundary what="The server">
            <ServerRow />
          </TileBoundary>
          <TileBoundary what="Sessions">
            {data ? (
              <SessionList of={data} at={dataUpdatedAt} />
            ) : error ? (
              <ErrorTile error={error} what="Sessions" onRetry={() => sessions.refetch()} />
            ) : (
              <Skeleton className="h-96 w-full" label="Reading the sessions" />
            )}
          </TileBoundary>
        </>
      )}
    </>
  )
}

function SessionList({ of, at }: { of: RouterOutputs['database']['sessions']; at: number }) {
  const { filter, clear } = useSessionFilter()
  const drawer = useDrawer('session')
  const live = useMemo(() => ({ of, at, all: blockedByTree(of.sessions) }), [of, at])
  const { shown, held, bind } = useHeld(live)
  const rows = blockedByTree(chosen(shown.of.sessions, filter))
  // What a session holds up does not depend on the filter.
  const facts = new Map(shown.all.map((row) => [sessionKey(row.session), row]))
  const all = formatCount(shown.of.sessions.length, 'session')
  const waiting = shown.of.sessions.filter(({ blockedBy }) => blockedBy.length > 0).length
  const opened = live.all.find(({ session }) => sessionKey(session) === drawer.id)
  function openPid(pid: number) {
    const target = live.all.find(({ session }) => session.pid === pid)
    if (target) drawer.open(sessionKey(target.session))
  }
  return (
    <>
      {of.missing ? <MissingNote missing={of.missing} title="The sessions of others are not seen" /> : null}
      <SessionFilterBar
        held={held}
        count={[
          rows.length === shown.of.sessions.length ? all : `${rows.length} of ${all}`,
          waiting > 0 ? `${waiting} waiting` : '',
        ]
          .filter(Boolean)
          .join(', ')}
      />
      <div {...bind}>
        <Table<TreeRow>
          caption="Sessions, each under the one it waits for"
          columns={sessionColumns(shown.at)}
          rows={rows.map((row) => ({ ...row, ...pick(facts.get(sessionKey(row.session))) }))}
          rowKey={({ session }) => sessionKey(session)}
          rowTone={({ session, inCycle }) =>
            inCycle ? 'bad' : session.blockedBy.length > 0 ? 'warn' : undefined
          }
          onOpen={({ session }) => drawer.open(sessionKey(session))}
          selected={drawer.id ?? undefined}
          empty={
            shown.of.sessions.length === 0 ? (
              <Empty kind="no-data" title="Nobody is connected" />
            ) : (
              <Empty
                kind="no-match"
                title={
                  filter.blocked && waiting === 0 ? 'Nobody waits for anybody' : 'No session fits the filter'
                }
                action={<Button onClick={clear}>Show all sessions</Button>}
              />
            )
          }
        />
      </div>
      <SessionDrawer id={drawer.id} row={opened} at={at} onOpen={openPid} onClose={drawer.close} />
    </>
  )
}

const pick = (row: TreeRow | undefined) => (row ? { holdsUp: row.holdsUp, inCycle: row.inCycle } : {})
