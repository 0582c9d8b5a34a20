import { randomUUID } from 'node:crypto'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import { holdLease, releaseLease } from '@/server/leases'
import type { Log } from '@/server/log'
import { endsWithin } from '@/server/patience'
import { Repeating } from '@/server/repeating'
import { isDue, rollOn } from './chunks/roll'
import { Shelf } from './chunks/shelf'
import { facets } from './facets'
import { histogram } from './histogram'
import { listEvents, oneEvent } from './search'
import type { Events } from './types'

export type { EventFilter } from './filter'
export type * from './types'

export interface EventsDeps {
  store: Store
  clock: Clock
  log: Log
  /** Chunks of 8,192 events that a page may read from the store before it ends early; 160 if absent. */
  mostOpened?: number | undefined
}

/** Well below a second, and as many as stay open: what goes on does not begin by closing what is asked next. */
const MOST_OPENED = 160
const PERIOD_MS = 5_000
/** A holder that is late twice has lost its turn. */
const LEASE_MS = 3 * PERIOD_MS
const LEASE = 'events'
/** The end waits no longer for a store that does not answer. */
const LAST_WRITE_MS = 2_000

/** Opens the search over the audit log. */
export function openEvents({ store, clock, log, mostOpened = MOST_OPENED }: EventsDeps): Events {
  const shelf = new Shelf({ store })
  const deps = { store, shelf, mostOpened, now: () => clock.now() }
  const stopping = new AbortController()
  const owner = randomUUID()
  let holding = false

  async function roll(signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted && (await rollOn(store))) await new Promise((resolve) => setImmediate(resolve))
  }

  /** One instance does it at a time: that two do it does no harm, but helps nobody. */
  async function tick(): Promise<void> {
    const held = async () => {
      const now = clock.now()
      holding = (await store.run(holdLease, { name: LEASE, owner, now, until: now + LEASE_MS })).held
      return holding
    }
    while (!stopping.signal.aborted && (await isDue(store)) && (await held())) await rollOn(store)
  }

  const repeating = new Repeating({
    ...{ period: PERIOD_MS, pace: 'rest', tick },
    failed: (error, again) => again || log.warn({ error }, 'events could not be rolled up'),
  })

  return {
    list: (request) => listEvents(deps, request),
    one: (seq) => oneEvent(deps, seq),
    histogram: (request) => histogram(deps, request),
    facets: (request) => facets(deps, request),
    roll,
    start: () => repeating.start(),
    async close() {
      stopping.abort()
      await repeating.stop()
      if (!holding) return
      const released = store.run(releaseLease, { name: LEASE, owner })
      await endsWithin(
        LAST_WRITE_MS,
        released.catch(() => {}),
      )
    },
  }
}
