import { eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { TextField } from './chunks/columns'
import { readRolled } from './chunks/roll-units'
import type { Shelf } from './chunks/shelf'
import { DAY } from './steps'
import type { EventFacets } from './types'

/** Chunks, the latest, whose actors are suggested. */
const RECENT = 6
const SUGGESTIONS = 20

/** Names and sources of all events, and the most active actors of the latest ones whose names hold a text. */
export async function facets(
  { store, shelf }: { store: Store; shelf: Shelf },
  { actor }: { actor: string },
): Promise<EventFacets> {
  const { eventCounts: at } = store.tables
  const read = (column: typeof at.event | typeof at.source) =>
    store.db.selectDistinct({ value: column }).from(at).where(eq(at.step, DAY))
  const [rolled, view, events, sources] = await Promise.all([
    readRolled(store),
    shelf.look(),
    read(at.event),
    read(at.source),
  ])
  const recent = await Promise.all(view.chunks.slice(-RECENT).map(({ id }) => shelf.columns(id)))
  const newer = recent.filter(({ id }) => id >= rolled.chunks)
  const all = (counted: { value: string | null }[], field: TextField) => {
    const values = newer.flatMap(({ texts }) => texts[field].values)
    const known = new Set([...counted.map(({ value }) => value), ...values])
    return [...known].filter((value) => value !== null).sort()
  }
  const sought = actor.toLowerCase()
  const actors = new Map<string, number>()
  for (const { events: count, texts } of recent) {
    const { values, codes } = texts.actor
    for (let place = 0; place < count; place++) {
      const name = values[codes[place] as number] ?? ''
      actors.set(name, (actors.get(name) ?? 0) + 1)
    }
  }
  const active = [...actors].filter(([name]) => name.toLowerCase().includes(sought))
  active.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  return {
    events: all(events, 'event'),
    sources: all(sources, 'source'),
    actors: active.slice(0, SUGGESTIONS).map(([name]) => name),
  }
}
