import type { EventFilter } from '../filter'
import { type Columns, startOf } from './columns'
import { type ChunkFacts, planOf } from './plan'
import type { Shelf, View } from './shelf'

/** So long the event loop is held at most by a search. */
const TURN_MS = 4
/** Chunks that are read ahead, where they are not open. */
const AHEAD = 3

export interface Range {
  /** Numbers above and below, both exclusive. */
  after?: number
  before?: number
  /** From the earliest to the latest, in place of the other way round. */
  up?: boolean
}

/**
 * Calls `found` with the places of the events of each chunk that a filter means, in order, until it says stop. Opens
 * at most `mostOpened` chunks that were closed, and answers where to go on then: the `before` or `after` of a range.
 * Null: it came to the end of the range, or was told to stop.
 */
export async function walk(
  shelf: Shelf,
  view: View,
  filter: EventFilter,
  range: Range,
  found: (columns: Columns, places: Uint16Array) => boolean | undefined,
  mostOpened = Number.POSITIVE_INFINITY,
): Promise<number | null> {
  const plan = planOf(filter)
  const after = Math.max(view.pruned, range.after ?? 0)
  const before = range.before ?? Number.POSITIVE_INFINITY
  const wanted = view.chunks.filter(
    (facts) => startOf(facts.id) + 1 < before && startOf(facts.id + 1) > after && plan.may(facts),
  )
  if (!range.up) wanted.reverse()
  let turn = performance.now()
  let left = mostOpened
  for (const [at, facts] of wanted.entries()) {
    if (!shelf.isOpen(facts.id)) {
      if (left === 0) return range.up ? startOf(facts.id) : startOf(facts.id + 1) + 1
      // The first one may be all that is needed.
      const ahead = at === 0 ? 1 : Math.min(AHEAD, left)
      left -= openAll(shelf, wanted.slice(at, at + ahead))
    }
    const columns = await shelf.columns(facts.id)
    const places = plan.select(columns, after, before)
    if (places.length > 0 && found(columns, places)) return null
    if (performance.now() - turn < TURN_MS) continue
    await new Promise((resolve) => setImmediate(resolve))
    turn = performance.now()
  }
  return null
}

/** Begins to open those that are closed; answers how many. */
function openAll(shelf: Shelf, chunks: readonly ChunkFacts[]): number {
  const closed = chunks.filter(({ id }) => !shelf.isOpen(id))
  for (const { id } of closed) shelf.columns(id).catch(() => {})
  return closed.length
}
