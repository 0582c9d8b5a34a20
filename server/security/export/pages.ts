import { and, asc, count, gt, gte, lt, lte, max, min, type SQL, sql } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { type EventFilter, matcherOf, roughly } from '../events/filter'
import { type ExportFormat, headerOf, lineOf } from './lines'

/** Events of one query, read while the ones before are being sent. */
const pageRows = 1_000
/** Events of one piece of text: V8 calls a string of more than 128 KB old at its first collection. */
const pieceRows = 64
/** Numbers of events that one query looks through: at first, and within which bounds it adapts. */
const firstSpan = 50_000
const spans = { least: 5_000, most: 2_000_000 }
/** A query takes about so long at most: nobody can end one that nobody waits for any more. */
const queryMs = 250

export interface ExportWanted {
  filter: EventFilter
  format: ExportFormat
  /** The last event that may be in it. */
  upTo: number
}

/**
 * The text of an export, in pieces: the events that a filter means, the first one first. The next piece is read while
 * one is being sent, and no further: who stops reading holds up nothing but that. Ends early, with an error, when
 * `signal` is aborted.
 */
export async function* exportPages(
  { store }: { store: Store },
  wanted: ExportWanted,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const header = headerOf(wanted.format)
  if (header) yield header
  const pages = readPages({ store }, wanted, signal)
  let next = pages.next()
  // Whoever leaves while a page is on its way leaves nobody to hear of its failure.
  next.catch(() => {})
  for (;;) {
    const page = await next
    signal.throwIfAborted()
    if (page.done) return
    next = pages.next()
    next.catch(() => {})
    yield* page.value
  }
}

async function* readPages(
  { store }: { store: Store },
  { filter, format, upTo }: ExportWanted,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  const { first, last } = await boundsOf(store, filter, upTo)
  const read = pageReader(store, filter, format)
  let span = firstSpan
  for (let after = first - 1; after < last; ) {
    signal.throwIfAborted()
    const begun = performance.now()
    const until = Math.min(after + span, last)
    const { pieces, end, full } = await read(after, until)
    const tookMs = performance.now() - begun
    after = full ? end : until
    if (tookMs > queryMs) span = Math.max(span / 2, spans.least)
    else if (!full) span = Math.min(span * 2, spans.most)
    yield pieces
  }
}

/** The numbers between which the events of a filter's time lie. */
async function boundsOf(store: Store, { from, to }: EventFilter, upTo: number) {
  const { seq, time } = store.tables.auditEvents
  const inTime = and(
    lte(seq, upTo),
    from === undefined ? undefined : gte(time, from),
    to === undefined ? undefined : lt(time, to),
  )
  const [found] = await store.db
    .select({ first: min(seq), last: max(seq) })
    .from(store.tables.auditEvents)
    .where(inTime)
  return { first: Number(found?.first ?? 1), last: Number(found?.last ?? 0) }
}

interface Page {
  pieces: string[]
  /** The number of the last event that was looked at. */
  end: number
  /** Whether there may be more up to the same end. */
  full: boolean
}

/**
 * Reads pages by key: what is added meanwhile moves nothing. What the store decides by itself comes as pieces of
 * text; of other filters the exact part is judged row by row.
 */
function pageReader(store: Store, filter: EventFilter, format: ExportFormat) {
  const { auditEvents: at } = store.tables
  const {
    seq,
    time,
    event,
    actor,
    target,
    outcome,
    reason,
    address,
    userAgent,
    sessionId,
    severity,
    source,
  } = at
  const line = lineOf(store.tables, format)
  const matches = isExact(filter) ? null : matcherOf(filter)
  const judged = {
    time,
    event,
    actor,
    target,
    outcome,
    reason,
    address,
    userAgent,
    sessionId,
    severity,
    source,
  }
  const rough = roughly(store.tables, filter)
  const piece = sql<number>`(row_number() over (order by ${seq}) - 1) / ${sql.raw(`${pieceRows}`)}`
  const page = (after: number, until: number) => and(gt(seq, after), lte(seq, until), rough)
  const whole = async (where: SQL | undefined): Promise<Page> => {
    const rows = store.db
      .select({ seq, line: line.as('line'), piece: piece.as('piece') })
      .from(at)
      .where(where)
      .orderBy(asc(seq))
      .limit(pageRows)
      .as('page')
    const found = await store.db
      .select({
        ...{ end: max(rows.seq), count: count() },
        text: sql<string>`string_agg(${rows.line}, '' order by ${rows.seq})`,
      })
      .from(rows)
      .groupBy(rows.piece)
      .orderBy(rows.piece)
    return {
      pieces: found.map(({ text }) => text),
      end: Number(found.at(-1)?.end ?? 0),
      full: found.reduce((sum, { count }) => sum + Number(count), 0) === pageRows,
    }
  }

  return async (after: number, until: number): Promise<Page> => {
    const where = page(after, until)
    if (!matches) return whole(where)
    const rows = await store.db
      .select({ seq, line, ...judged })
      .from(at)
      .where(where)
      .orderBy(asc(seq))
      .limit(pageRows)
    const lines = rows.flatMap((row) => (matches(row) ? [row.line] : []))
    return {
      pieces: inPieces(lines),
      end: rows.at(-1)?.seq ?? 0,
      full: rows.length === pageRows,
    }
  }
}

function inPieces(lines: string[]): string[] {
  const starts = Array.from({ length: Math.ceil(lines.length / pieceRows) }, (_, at) => at * pieceRows)
  return starts.map((start) => lines.slice(start, start + pieceRows).join(''))
}

/** Whether the store decides all of a filter by itself: these it finds with some more (../events/filter). */
function isExact({ events, actor, address, severities, text }: EventFilter): boolean {
  return !events?.length && actor === undefined && address === undefined && !severities?.length && !text
}
