import { AsyncLocalStorage } from 'node:async_hooks'
import { type Lsn, later } from './lsn'

const TRAVELLING = /^([1-9]\d{0,9})-([0-9a-f]{1,16})$/

/**
 * How far the log went when a session last wrote: its reads go where that much is replayed. It travels between
 * instances as a short text; what is no such text counts as none.
 */
export class Position {
  #lsn: Lsn | undefined
  readonly #from: string | null

  constructor(travelled: string | null = null) {
    const [, timeline, byte] = TRAVELLING.exec(travelled ?? '') ?? []
    if (timeline && byte) this.#lsn = { timeline: Number(timeline), byte: BigInt(`0x${byte}`) }
    this.#from = this.#lsn ? travelled : null
  }

  get lsn(): Lsn | undefined {
    return this.#lsn
  }

  /** Whether the session wrote since the text was made from which this began. */
  get moved(): boolean {
    return this.text() !== this.#from
  }

  advance(to: Lsn): void {
    this.#lsn = later(this.#lsn, to)
  }

  /** Of at most 27 characters; null before the first write. */
  text(): string | null {
    return this.#lsn ? `${this.#lsn.timeline}-${this.#lsn.byte.toString(16)}` : null
  }
}

const positions = new AsyncLocalStorage<Position>()

/** Runs what belongs to one session: its writes advance the position, its reads see at least as much. */
export function within<T>(position: Position, work: () => T): T {
  return positions.run(position, work)
}

export function currentPosition(): Position | undefined {
  return positions.getStore()
}
