import type { Node } from './node'
import { currentPosition, type LogPlace, later, type Position, type Written } from './position'
import { placeOf, type Reader } from './reader'
import type { Topology } from './topology'

/** How far the log went when this process, and the session on whose behalf it runs, last wrote. */
export class WrittenPlaces {
  /** Of this process, as far as it is known. */
  floor: LogPlace | null = null
  readonly #topology: Topology
  readonly #reader: Reader
  /** When a single statement last wrote: the next probe of the primary tells a place behind it. */
  #wroteAt: number | undefined

  constructor(topology: Topology, reader: Reader) {
    this.#topology = topology
    this.#reader = reader
  }

  /** A transaction has committed. */
  committed(node: Node, lsn: bigint): void {
    const place = { timeline: this.#timelineOf(node), lsn }
    this.floor = later(this.floor, place)
    currentPosition()?.note(place)
  }

  /** A single statement has written: where, is found out when somebody needs to know. */
  wrote(node: Node): void {
    const at = performance.now()
    this.#wroteAt = at
    const session = currentPosition()
    if (!session) return
    const written: Written = {
      ...{ timeline: this.#timelineOf(node), at },
      place: () => this.#place(session, node, written),
    }
    session.written = written
  }

  /** A probe has answered. */
  probed(): void {
    const { primary } = this.#topology
    if (!primary?.seen || this.#wroteAt === undefined || primary.seen.sentAt <= this.#wroteAt) return
    this.#wroteAt = undefined
    this.floor = later(this.floor, placeOf(primary))
  }

  /** What is on the primary now is surely behind a write that could not be placed. */
  async #place(session: Position, node: Node, written: Written): Promise<void> {
    await this.#reader.place(session, node, written)
    const { primary } = this.#topology
    const place = primary?.seen && primary.seen.sentAt > written.at ? placeOf(primary) : null
    if (session.somewhere && place) session.place = place
  }

  #timelineOf(node: Node): number {
    return node.seen?.timeline ?? this.#topology.timeline ?? 1
  }
}
