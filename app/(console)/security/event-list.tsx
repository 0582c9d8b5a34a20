'use client'

import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useRef } from 'react'
import { useLive, useLiveEvent } from '@/components/live/live'
import { useSteady } from '@/components/live/use-steady'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatNumber } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import { useDrawer, useUrlState } from '@/components/ui/url-state'
import { useZone } from '@/components/ui/zone'
import type { RouterInputs, RouterOutputs } from '@/server/routers/_app'
import { eventColumns } from './event-columns'
import { pageOf } from './filter'
import { NoEvents } from './no-events'
import { useNames } from './use-names'
import { type Hold, useTail } from './use-tail'

type Asked = RouterInputs['security']['events']['list']
type EventPage = RouterOutputs['security']['events']['list']

/** How often the latest events are asked for at most, ms. */
const LEAST_MS = 400

/** The events that are meant, the latest first: following the present, or a page that stands still. */
export function EventList({
  asked,
  question,
  follows,
}: {
  asked: Asked
  question: string
  follows: boolean
}) {
  const trpc = useTRPC()
  const { params } = useUrlState()
  const { before, after } = pageOf(params)
  const latest = before === undefined && after === undefined
  const tails = follows && latest
  const list = useQuery(trpc.security.events.list.queryOptions(asked, { placeholderData: keepPreviousData }))
  const drawer = useDrawer('event')
  const table = useRef<HTMLDivElement>(null)
  const mark = useRef<HTMLDivElement>(null)
  const { shown, hold, fresh, setPointer, setFocus } = useTail({
    page: list.data,
    question,
    follows: tails,
    open: drawer.id !== null,
    table,
    mark,
  })
  const refetch = useSteady(() => list.refetch({ cancelRefetch: false }), LEAST_MS)
  useLiveEvent('audit', () => {
    if (tails) refetch()
  })
  const zone = useZone()
  const nameOf = useNames()
  const columns = useMemo(() => eventColumns(zone, nameOf), [zone, nameOf])
  const showLatest = () => {
    document.getSelection()?.removeAllRanges()
    setPointer(false)
    setFocus(false)
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
    mark.current?.scrollIntoView({ block: 'center' })
  }
  return (
    <Section
      title="Audit events"
      note={<State tails={tails} hold={hold} page={{ before, after }} />}
      actions={<Pages page={shown} latest={latest} />}
    >
      {list.isError && !list.data ? (
        <ErrorTile error={list.error} what="Audit events" onRetry={() => list.refetch()} />
      ) : null}
      {list.isPending ? <Skeleton className="h-[33rem] w-full" label="Reading the events" /> : null}
      <div ref={mark} />
      <div className="sticky top-20 z-2 flex h-0 justify-center">
        <div role="status" className="-mt-1">
          {fresh.count > 0 ? (
            <button
              type="button"
              className="h-7 rounded-float border border-accent bg-surface px-3 font-medium whitespace-nowrap text-accent shadow-float hover:bg-wash"
              onClick={showLatest}
            >
              {formatNumber(fresh.count)}
              {fresh.more ? '+' : ''} new
            </button>
          ) : null}
        </div>
      </div>
      {shown ? (
        // biome-ignore lint/a11y/noStaticElementInteractions: it acts on nothing, the list below only stands still
        <div
          ref={table}
          onPointerEnter={({ pointerType }) => pointerType === 'mouse' && setPointer(true)}
          onPointerLeave={() => setPointer(false)}
          onFocus={({ target }) => setFocus(target.matches(':focus-visible'))}
          onBlur={() => setFocus(false)}
        >
          <Table
            caption="Audit events"
            density="roomy"
            columns={columns}
            rows={shown.events}
            rowKey={({ seq }) => String(seq)}
            rowTone={({ severity }) =>
              severity === 'high' || severity === 'critical'
                ? 'bad'
                : severity === 'medium'
                  ? 'warn'
                  : undefined
            }
            onOpen={({ seq }) => drawer.open(String(seq))}
            selected={drawer.id ?? undefined}
            empty={<NoEvents asked={asked} paged={!latest} next={shown.next} />}
          />
        </div>
      ) : null}
      {shown && shown.events.length > 0 ? (
        <nav aria-label="Pages of events" className="mt-3 flex flex-wrap gap-2">
          <Pages page={shown} latest={latest} />
        </nav>
      ) : null}
      {latest ? null : (
        <p className="sr-only" role="status">
          {before === undefined ? `Events after number ${after}` : `Events before number ${before}`}
        </p>
      )}
    </Section>
  )
}

function Pages({ page, latest }: { page: EventPage | undefined; latest: boolean }) {
  const { change } = useUrlState()
  return (
    <>
      {latest ? null : <Button onClick={() => change({ before: null, after: null })}>Latest</Button>}
      {latest || page?.previous == null ? null : (
        <Button onClick={() => change({ after: String(page.previous), before: null })}>Newer</Button>
      )}
      {page?.next == null ? null : (
        <Button onClick={() => change({ before: String(page.next), after: null })}>Older</Button>
      )}
    </>
  )
}

const holdWords: Record<Hold, string> = {
  away: 'Standing still: you have scrolled down',
  pointer: 'Standing still while you point at it',
  focus: 'Standing still while the keyboard is in it',
  selection: 'Standing still while text is selected',
  drawer: 'Standing still while an event is open',
}

function State({
  tails,
  hold,
  page: { before, after },
}: {
  tails: boolean
  hold: Hold | undefined
  page: { before?: number; after?: number }
}) {
  const { connection } = useLive()
  if (before !== undefined) return `Before number ${before}`
  if (after !== undefined) return `After number ${after}`
  if (!tails) return 'A window that has ended, the latest first'
  if (connection !== 'live') return 'Not following: the console is not live'
  return hold ? holdWords[hold] : 'Following, the latest first'
}
