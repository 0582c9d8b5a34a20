'use client'

import { useQuery } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { formatNumber } from '@/components/ui/format'
import { Time } from '@/components/ui/time'
import { useUrlState } from '@/components/ui/url-state'
import type { RouterInputs } from '@/server/routers/_app'
import { FILTER_NAMES, NO_FILTER } from './filter'

/** Why the list is empty: the filter, the time, or a log that holds nothing. */
export function NoEvents({
  asked,
  paged,
  next,
}: {
  asked: RouterInputs['security']['events']['list']
  paged: boolean
  /** Where the search goes on, when it ended before the log did. */
  next: number | null
}) {
  const trpc = useTRPC()
  const { change } = useUrlState()
  const filtered = FILTER_NAMES.some((name) => asked[name] !== undefined)
  const { from: _from, to: _to, before: _before, after: _after, ...filter } = asked
  // The latest event of any time that the filter means: what would be shown without the window.
  const elsewhere = useQuery(trpc.security.events.list.queryOptions({ ...filter, limit: 1 }))
  if (next !== null)
    return (
      <Empty
        kind="no-match"
        title={`Nothing found back to event ${formatNumber(next)}`}
        action={
          <Button onClick={() => change({ before: String(next), after: null })}>Search older events</Button>
        }
      >
        A search reads so much of a large log at a time. A window of time or another filter makes it quicker.
      </Empty>
    )
  if (paged)
    return (
      <Empty
        kind="no-data"
        title="There are no further events"
        action={<Button onClick={() => change({ before: null, after: null })}>Show the latest</Button>}
      />
    )
  if (elsewhere.isPending) return <Empty kind="no-match" title="No event of this time fits" />
  const last = elsewhere.data?.events[0]
  if (last) {
    const day = 86_400_000
    return (
      <Empty
        kind="no-match"
        title={filtered ? 'No event of this time fits the filter' : 'Nothing happened in this time'}
        action={
          <span className="flex flex-wrap gap-2">
            <Button
              onClick={() =>
                change({ from: String(last.time - day / 2), to: String(last.time + day / 2), range: null })
              }
            >
              Show the day around the last one
            </Button>
            {filtered ? <Button onClick={() => change(NO_FILTER)}>Clear the filter</Button> : null}
          </span>
        }
      >
        The last one {filtered ? 'that fits' : ''} was written on <Time at={last.time} withZone />.
      </Empty>
    )
  }
  return filtered ? (
    <Empty
      kind="no-match"
      title="No event of any time fits the filter"
      action={<Button onClick={() => change(NO_FILTER)}>Clear the filter</Button>}
    />
  ) : (
    <Empty kind="no-data" title="The log holds no event yet" />
  )
}
