import { setTimeout as after } from 'node:timers/promises'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { endsWithin } from '@/server/patience'
import { change, isLost, sentenceOf, settle, stepOf } from './server-index'
import type { Source } from './source'
import { changeFile, endChange, type Lease, type Row, readChange, renewLease, takeOver } from './units'

interface Deps {
  store: Store
  clock: Clock
  log: Log
  database: () => Source
  instance: string
  /** Called when the database has become another one, before that can be read in the store. */
  changed: () => void
  /** Called when a change has ended. */
  ended: (row: Row) => Promise<void>
}

/** Without a sign of life for this long another instance looks what came of a change. */
const LEASE_MS = 30_000
const RENEW_MS = 10_000
const LOOK_MS = 1_000
const CLOSE_MS = 1_000

/** Carries changes out, one at a time over all instances, and finishes those that a process left behind. */
export class Working {
  readonly #deps: Deps
  readonly #active = new Set<string>()
  readonly #stopping = new AbortController()
  /** Nobody else can be at work on a SQLite store: what is unfinished when it is opened was left behind. */
  #first = true

  constructor(deps: Deps) {
    this.#deps = deps
  }

  lease(): Lease {
    const { clock, instance } = this.#deps
    return { leaseOwner: instance, leaseUntil: clock.now() + LEASE_MS }
  }

  /** Begins what was noted; its end is noted too. */
  begin(id: string): void {
    void this.#hold(id, async () => {
      const row = await readChange(this.#deps.store, id)
      if (row?.busy) await this.#carryOut(row)
    })
  }

  /** Looks for a change that nobody works on, and what came of it. */
  async takeOver(): Promise<void> {
    const { store, clock, database } = this.#deps
    const alone = this.#first && database().dialect === 'sqlite'
    const row = await store.run(takeOver, { now: clock.now(), alone, lease: this.lease() })
    this.#first = false
    if (!row || this.#active.has(row.id)) return
    void this.#hold(row.id, () => this.#finish(row, undefined))
  }

  /** Lets go at once; what the server works on goes on there, and whoever comes next sees to it. */
  async close(): Promise<void> {
    this.#stopping.abort()
    const { store, instance } = this.#deps
    const free = { leaseOwner: instance, leaseUntil: 0 }
    const freeing = Promise.all([...this.#active].map((id) => store.run(renewLease, { id, lease: free })))
    await endsWithin(
      CLOSE_MS,
      freeing.catch(() => {}),
    )
  }

  /** Shows signs of life while `work` goes on. */
  async #hold(id: string, work: () => Promise<void>): Promise<void> {
    const { store, log } = this.#deps
    this.#active.add(id)
    const timer = setInterval(() => {
      store.run(renewLease, { id, lease: this.lease() }).catch(() => {})
    }, RENEW_MS).unref()
    try {
      await work()
    } catch (error) {
      // The row stays as it is: it is looked at again when the lease is over.
      if (!this.#stopping.signal.aborted) log.warn({ error, change: id }, 'an index change is not finished')
    } finally {
      clearInterval(timer)
      this.#active.delete(id)
    }
  }

  async #carryOut(row: Row): Promise<void> {
    const database = this.#deps.database()
    if (row.dialect !== database.dialect) return this.#end(row, MOVED)
    try {
      if (database.dialect === 'postgresql') await change(database, stepOf(row))
      else await this.#changeFile(row)
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      return this.#finish(row, error)
    }
    // Whoever took it over notes the end.
    if (this.#stopping.signal.aborted) return
    return database.dialect === 'postgresql' ? this.#finish(row, undefined) : this.#deps.ended(row)
  }

  async #changeFile(row: Row): Promise<void> {
    const { store, clock, changed } = this.#deps
    const { statement } = stepOf(row)
    await store.run(changeFile, { statement, id: row.id, was: wasOf(row), error: null, now: clock.now() })
    changed()
  }

  /** Looks what came of it on the server; a file holds what was committed there, and nothing else. */
  async #finish(row: Row, failure: unknown): Promise<void> {
    const database = this.#deps.database()
    if (row.dialect !== database.dialect) return this.#end(row, MOVED)
    const sentence = failure === undefined ? LEFT : sentenceOf(failure)
    if (database.dialect === 'sqlite') return this.#end(row, sentence)
    // An index of that name that was there before is not ours to judge.
    if ((failure as { code?: string } | undefined)?.code === '42P07') return this.#end(row, sentence)
    const patient = failure === undefined || isLost(failure)
    let outcome = await settle(database, stepOf(row), { patient })
    while (outcome === 'still') {
      await after(LOOK_MS, undefined, { signal: this.#stopping.signal, ref: false })
      outcome = await settle(database, stepOf(row), { patient })
    }
    return this.#end(row, outcome === 'done' ? null : sentence)
  }

  async #end(row: Row, error: string | null): Promise<void> {
    const { store, clock, changed, ended } = this.#deps
    changed()
    await store.run(endChange, { id: row.id, was: wasOf(row), error, now: clock.now() })
    await ended(row)
  }
}

const wasOf = ({ state }: Row) => (state === 'undoing' ? 'undoing' : 'running')

const LEFT = 'The console was ended before it was done.'
const MOVED = 'The store moved to another database before it was done.'
