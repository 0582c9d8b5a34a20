import { and, asc, desc, eq, gt, inArray, lt } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { AuditRow } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { type Columns, startOf } from './chunks/columns'
import type { Shelf } from './chunks/shelf'
import { type Range, walk } from './chunks/walk'
import { type EventFilter, matcherOf, weightOf } from './filter'
import { parseSought } from './network'
import type { EventDetail, EventEntry, EventPage, Neighbours, PageRequest } from './types'

export interface SearchDeps {
  store: Store
  shelf: Shelf
  /** Chunks that one page may open. */
  mostOpened: number
}

/** Neighbours that are shown on each side. */
const NEIGHBOURS = 5

/** A page of events, the latest first. One that would open too much of the log ends early, and says where to go on. */
export async function listEvents(
  deps: SearchDeps,
  { before, after, limit, ...filter }: PageRequest,
): Promise<EventPage> {
  const up = after !== undefined
  const found = await take(deps, filter, up ? { after, up } : { before }, limit + 1)
  const events = found.events.slice(0, limit)
  const full = found.events.length > limit
  if (up) events.reverse()
  const [first, last] = [events[0]?.seq, events.at(-1)?.seq]
  // Where the page is empty, the other side begins where this one was asked to.
  const newest = !up && before === undefined && first === undefined
  const newer = up || newest ? full : await any(deps, filter, { after: first ?? (before ?? 1) - 1, up: true })
  const older = up ? await any(deps, filter, { before: last ?? after + 1 }) : full
  const { goOn } = full ? { goOn: null } : found
  return {
    events,
    next: older ? (last ?? (after ?? 0) + 1) : up ? null : goOn,
    previous: newer ? (first ?? (before ?? 1) - 1) : up ? goOn : null,
  }
}

/** Whether there is one, as far as may be searched; beyond that there may be. */
async function any(deps: SearchDeps, filter: EventFilter, range: Range): Promise<boolean> {
  const { events, goOn } = await take(deps, filter, range, 1)
  return events.length > 0 || goOn !== null
}

interface Taken {
  events: EventEntry[]
  /** Where the search ended before the range did. */
  goOn: number | null
}

/** The first events of a range that a filter means, in the order in which the range is walked. */
async function take(deps: SearchDeps, filter: EventFilter, range: Range, most: number): Promise<Taken> {
  if (Object.values(filter).every((value) => value === undefined))
    return { events: await readRange(deps, range, most), goOn: null }
  const matches = matcherOf(filter)
  const read = async () => {
    const { seqs, goOn } = await findSeqs(deps, filter, range, most)
    const rows = await readEntries(deps, seqs)
    return { rows, goOn, sound: rows.length === seqs.length && rows.every(matches) }
  }
  const first = await read()
  if (first.sound) return { events: first.rows.map(entryOf), goOn: first.goOn }
  // Rows are not what they were: somebody has tampered with them, or pruned them just now. They count as they are.
  deps.shelf.forget()
  const { rows, goOn } = await read()
  return { events: rows.filter(matches).map(entryOf), goOn }
}

async function findSeqs(
  { shelf, mostOpened }: SearchDeps,
  filter: EventFilter,
  range: Range,
  most: number,
): Promise<{ seqs: number[]; goOn: number | null }> {
  const seqs: number[] = []
  const view = await shelf.look()
  const visit = (columns: Columns, places: Uint16Array) => {
    const start = startOf(columns.id)
    const wanted = most - seqs.length
    const some = range.up ? places.subarray(0, wanted) : places.slice(-wanted).reverse()
    for (const place of some) seqs.push(start + (columns.places[place] as number))
    return seqs.length >= most
  }
  return { goOn: await walk(shelf, view, filter, range, visit, mostOpened), seqs }
}

type EntryRow = Pick<AuditRow, keyof EventEntry | 'userAgent' | 'sessionId'>

const entryColumns = ({ tables: { auditEvents: at } }: Store) => ({
  ...{ seq: at.seq, time: at.time, event: at.event, actor: at.actor, target: at.target, outcome: at.outcome },
  ...{ reason: at.reason, address: at.address, userAgent: at.userAgent, sessionId: at.sessionId },
  ...{ severity: at.severity, source: at.source },
})

async function readEntries({ store }: SearchDeps, seqs: number[]): Promise<EntryRow[]> {
  if (seqs.length === 0) return []
  const { auditEvents: at } = store.tables
  const rows = await store.db.select(entryColumns(store)).from(at).where(inArray(at.seq, seqs))
  const bySeq = new Map(rows.map((row) => [row.seq, row]))
  return seqs.flatMap((seq) => bySeq.get(seq) ?? [])
}

async function readRange({ store }: SearchDeps, { after, before, up }: Range, most: number) {
  const { auditEvents: at } = store.tables
  const rows = await store.db
    .select(entryColumns(store))
    .from(at)
    .where(
      and(
        after === undefined ? undefined : gt(at.seq, after),
        before === undefined ? undefined : lt(at.seq, before),
      ),
    )
    .orderBy(up ? asc(at.seq) : desc(at.seq))
    .limit(most)
  return rows.map(entryOf)
}

function entryOf(row: EntryRow): EventEntry {
  const { seq, time, event, actor, target, reason, address, source } = row
  const outcome = row.outcome as EventEntry['outcome']
  return { seq, time, event, actor, target, outcome, severity: weightOf(row), reason, address, source }
}

/** One event, whole, with what its actor, session and address did right before and after. NOT_FOUND. */
export async function oneEvent(deps: SearchDeps, seq: number): Promise<EventDetail> {
  const { auditEvents: at } = deps.store.tables
  const [row] = await deps.store.db.select().from(at).where(eq(at.seq, seq))
  if (!row) throw new HoldfastError('NOT_FOUND', `There is no event number ${seq} in the log.`)
  const { actor, sessionId: session, address } = row
  const around = async (filter: EventFilter): Promise<Neighbours> => ({
    before: (await take(deps, filter, { before: seq }, NEIGHBOURS)).events,
    after: (await take(deps, filter, { after: seq, up: true }, NEIGHBOURS)).events,
  })
  return {
    ...row,
    severity: weightOf(row),
    neighbours: {
      actor: await around({ actor }),
      session: session === null ? null : await around({ session }),
      address: address === null || parseSought(address) === null ? null : await around({ address }),
    },
  }
}
