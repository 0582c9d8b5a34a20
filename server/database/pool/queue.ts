import type { Connection } from './connection'
import type { Statement } from './pipeline-statement'

/** `lend`: a borrower; `alone`: one statement for itself; `lane`: a statement that shares a connection. */
export type WaiterKind = 'lend' | 'alone' | 'lane'

export interface Waiter {
  kind: WaiterKind
  /** What is to be run; absent for a borrower. */
  statement?: Statement
  /** Takes the connection at once: it is used, or lent, when this returns. */
  go(connection: Connection): void
  refuse(error: unknown): void
}

interface Queued extends Waiter {
  /** Its place in the line of all. */
  turn: number
  since: number
  timer: NodeJS.Timeout
}

/**
 * Those who wait for a connection, in the order in which they came, at most `most`. Three lines, because who
 * wants to share a connection may pass one who needs a whole one; a free connection goes to the longest waiting.
 */
export class WaitingLine {
  readonly #lines: Record<WaiterKind, Queued[]> = { lend: [], alone: [], lane: [] }
  readonly #most: number
  #turns = 0

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    const { lend, alone, lane } = this.#lines
    return lend.length + alone.length + lane.length
  }

  get full(): boolean {
    return this.size >= this.#most
  }

  count(kind: WaiterKind): number {
    return this.#lines[kind].length
  }

  /** @param expire called after `milliseconds`, when the waiter has left the line without a connection. */
  add(waiter: Waiter, milliseconds: number, expire: () => void): void {
    const queued: Queued = {
      ...waiter,
      turn: this.#turns++,
      since: performance.now(),
      timer: setTimeout(() => {
        const line = this.#lines[queued.kind]
        line.splice(line.indexOf(queued), 1)
        expire()
      }, milliseconds),
    }
    this.#lines[waiter.kind].push(queued)
  }

  head(kind: WaiterKind): Waiter | undefined {
    return this.#lines[kind][0]
  }

  /** The kind of the longest waiting, among `kinds`. */
  first(kinds: readonly WaiterKind[]): WaiterKind | undefined {
    let found: Queued | undefined
    for (const kind of kinds) {
      const head = this.#lines[kind][0]
      if (head && (!found || head.turn < found.turn)) found = head
    }
    return found?.kind
  }

  /** Milliseconds that the longest waiting has waited. */
  waitedMs(): number {
    const kind = this.first(['lend', 'alone', 'lane'])
    const head = kind && this.#lines[kind][0]
    return head ? performance.now() - head.since : 0
  }

  /** Takes the first of a line out. */
  take(kind: WaiterKind): Waiter | undefined {
    const queued = this.#lines[kind].shift()
    if (queued) clearTimeout(queued.timer)
    return queued
  }

  /** Lets those change lines whose statement is known better by now, each to its place by its turn. */
  sort(kindOf: (statement: Statement) => WaiterKind): void {
    for (const kind of ['alone', 'lane'] as const) {
      const line = this.#lines[kind]
      const moving = line.filter(({ statement }) => statement && kindOf(statement) !== kind)
      if (moving.length === 0) continue
      this.#lines[kind] = line.filter((queued) => !moving.includes(queued))
      const other = kind === 'alone' ? 'lane' : 'alone'
      for (const queued of moving) queued.kind = other
      this.#lines[other] = [...this.#lines[other], ...moving].sort((a, b) => a.turn - b.turn)
    }
  }

  /** Empties the line. */
  refuseAll(error: unknown): void {
    for (const kind of ['lend', 'alone', 'lane'] as const) {
      for (const queued of this.#lines[kind].splice(0)) {
        clearTimeout(queued.timer)
        queued.refuse(error)
      }
    }
  }
}
