import { and, asc, eq, gt, lte, max, min } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { type ChunkRow, type Columns, chunkOf, decode, Growing, startOf } from './columns'
import type { ChunkFacts } from './plan'

/** Chunks that are kept open in memory: about half a megabyte each. */
const MOST_OPEN = 160
const BATCH = 2_048

/** The log at one moment. */
export interface View {
  /** Chunks in order, the last may still grow. */
  chunks: ChunkFacts[]
  /** Numbers up to here were pruned. */
  pruned: number
  /** The last number. */
  last: number
}

/**
 * The events of a store in columns: chunks as the roll-up wrote them (./roll), others made of the rows themselves,
 * and the last one growing with the log. What is open stays open while it is in use; nothing in it ever changes.
 */
export class Shelf {
  readonly #store: Store
  #handle: unknown
  #facts: ChunkFacts[] = []
  #open = new Map<number, Promise<Columns>>()
  #growing: Growing | undefined
  #last = 0
  #pruned = 0
  #running: Promise<View> | undefined
  #next: Promise<View> | undefined

  constructor({ store }: { store: Store }) {
    this.#store = store
  }

  /** Everything that is committed by now. */
  look(): Promise<View> {
    // A look that has begun may have missed what the caller wrote: everybody who comes meanwhile shares the next.
    this.#next ??= (this.#running ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        this.#running = this.#next
        this.#next = undefined
        return this.#refresh()
      })
    return this.#next
  }

  /** Forgets everything: somebody has changed what never changes. */
  forget(): void {
    this.#facts = []
    this.#open = new Map()
    this.#growing = undefined
    this.#last = 0
  }

  /** The columns of a chunk. */
  columns(id: number): Promise<Columns> {
    if (this.#growing?.columns.id === id) return Promise.resolve(this.#growing.columns)
    const found = this.#open.get(id) ?? this.#load(id)
    this.#open.delete(id)
    this.#open.set(id, found)
    if (this.#open.size > MOST_OPEN) this.#open.delete(this.#open.keys().next().value as number)
    found.catch(() => this.#open.delete(id))
    return found
  }

  /** Whether it can be had at once. */
  isOpen(id: number): boolean {
    return this.#open.has(id) || this.#growing?.columns.id === id
  }

  async #refresh(): Promise<View> {
    if (this.#handle !== this.#store.db) this.forget()
    this.#handle = this.#store.db
    const { auditEvents: at } = this.#store.tables
    const [ends] = await this.#store.db.select({ first: min(at.seq), last: max(at.seq) }).from(at)
    const last = Number(ends?.last ?? 0)
    // A log that is shorter than it was is another one.
    if (last < this.#last) this.forget()
    this.#pruned = last === 0 ? 0 : Number(ends?.first) - 1
    this.#facts = this.#facts.filter(({ id }) => startOf(id + 1) > this.#pruned)
    await this.#learn(last)
    await this.#grow(last)
    this.#last = last
    const growing = this.#growing?.columns
    const facts = growing?.events
      ? [{ id: growing.id, times: { min: growing.minTime, max: growing.maxTime }, values: null }]
      : []
    return { chunks: [...this.#facts, ...facts], pruned: this.#pruned, last }
  }

  /** Knows every chunk before the last, from what was rolled up as far as that goes. */
  async #learn(last: number): Promise<void> {
    const first = chunkOf(this.#pruned + 1)
    const known = this.#facts.at(-1)?.id ?? first - 1
    const growing = this.#growing?.columns
    const newest = last === 0 ? -1 : chunkOf(last)
    // Far behind: what has grown is not gone on with.
    if (growing && newest > growing.id + 1) this.#growing = undefined
    const until = this.#growing ? this.#growing.columns.id - 1 : newest - 1
    for (let id = known + 1; id <= until; id++) this.#facts.push({ id, times: null, values: null })
    const unknown = this.#facts.filter(({ times }) => times === null).map(({ id }) => id)
    const byId = new Map(this.#facts.map((facts) => [facts.id, facts]))
    for (let after = (unknown[0] ?? 0) - 1; unknown.length > 0; ) {
      const rows = await this.#readFacts(after, unknown.at(-1) ?? 0)
      for (const { id, minTime, maxTime, values } of rows) {
        const facts = byId.get(id)
        if (!facts) continue
        facts.times = { min: minTime, max: maxTime }
        facts.values = Buffer.from(values, 'base64')
      }
      if (rows.length < FACTS) return
      after = rows.at(-1)?.id ?? after
    }
  }

  #readFacts(after: number, until: number) {
    const { eventChunks: at } = this.#store.tables
    const { id, minTime, maxTime, values } = at
    return this.#store.db
      .select({ id, minTime, maxTime, values })
      .from(at)
      .where(and(gt(id, after), lte(id, until)))
      .orderBy(asc(id))
      .limit(FACTS)
  }

  async #grow(last: number): Promise<void> {
    if (last === 0) return
    this.#growing ??= new Growing(chunkOf(last))
    let after = Math.max(this.#pruned, startOf(this.#growing.columns.id))
    const { columns } = this.#growing
    if (columns.events > 0) after = startOf(columns.id) + (columns.places[columns.events - 1] as number)
    while (after < last) {
      const rows = await readRows(this.#store, { after, until: last }, BATCH)
      for (const row of rows) this.#add(row)
      if (rows.length < BATCH) return
      after = rows.at(-1)?.seq ?? last
    }
  }

  #add(row: ChunkRow): void {
    const id = chunkOf(row.seq)
    if (this.#growing && this.#growing.columns.id !== id) {
      const full = this.#growing.finish()
      if (full.events > 0) {
        this.#facts.push({ id: full.id, times: { min: full.minTime, max: full.maxTime }, values: null })
        this.#open.set(full.id, Promise.resolve(full))
      }
      this.#growing = undefined
    }
    this.#growing ??= new Growing(id)
    this.#growing.add(row)
  }

  async #load(id: number): Promise<Columns> {
    const { eventChunks: at } = this.#store.tables
    const [row] = await this.#store.db.select({ data: at.data }).from(at).where(eq(at.id, id))
    const columns = row ? await decode(id, row.data) : await buildColumns(this.#store, id)
    const facts = this.#facts.find((known) => known.id === id)
    if (facts) facts.times ??= { min: columns.minTime, max: columns.maxTime }
    return columns
  }
}

const FACTS = 500

/** The columns of a chunk, made of its rows. */
export async function buildColumns(store: Store, id: number): Promise<Columns> {
  const growing = new Growing(id)
  for (let after = startOf(id); ; ) {
    const rows = await readRows(store, { after, until: startOf(id + 1) }, BATCH)
    for (const row of rows) growing.add(row)
    if (rows.length < BATCH) return growing.finish()
    after = rows.at(-1)?.seq ?? after
  }
}

function readRows(
  { db, tables: { auditEvents: at } }: Store,
  { after, until }: { after: number; until: number },
  most: number,
): Promise<ChunkRow[]> {
  const { seq, time, event, actor, target, outcome, reason } = at
  const { address, userAgent, sessionId, severity, source } = at
  return db
    .select({
      ...{ seq, time, event, actor, target, outcome, reason },
      ...{ address, userAgent, sessionId, severity, source },
    })
    .from(at)
    .where(and(gt(seq, after), lte(seq, until)))
    .orderBy(asc(seq))
    .limit(most)
}
