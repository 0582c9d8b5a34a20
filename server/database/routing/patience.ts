import { cannotConnect, isLasting } from '../failures'
import { Node } from './node'
import type { Found, Reader } from './reader'
import type { Topology } from './topology'
import { nobodyAnswers, readOnly, tooManyWait } from './trouble'

export interface Limits {
  /** Milliseconds that a write, and a read, wait at most. */
  failoverWait: number
  acquireTimeout: number
  /** Callers that may wait at once. */
  maxWaiting: number
}

/** Who waits for a server, for how long, and what he is told when none came. */
export class Patience {
  readonly #topology: Topology
  readonly #reader: Reader
  readonly #limits: Limits

  constructor(topology: Topology, reader: Reader, limits: Limits) {
    this.#topology = topology
    this.#reader = reader
    this.#limits = limits
  }

  /** The server that takes writes, as soon as there is one. */
  async writable(until: number): Promise<Node> {
    this.#refuseCrowd()
    const found = await this.#topology.until(
      () => this.#topology.writable ?? this.#hopeless(),
      until - performance.now(),
    )
    if (found instanceof Node) return found
    throw found ?? this.nobodyWrites()
  }

  /** A server for a read, as soon as there is one. */
  async readable(find: Found, until: number): Promise<Node> {
    this.#refuseCrowd()
    const node = await this.#reader.find(find, until, () => this.#hopeless())
    if (node) return node
    throw this.#hopeless() ?? nobodyAnswers(this.#limits.acquireTimeout, this.#topology.summary())
  }

  /** Reads go on where somebody answers; otherwise nothing does. */
  nobodyWrites(): Error {
    const { failoverWait } = this.#limits
    const why = this.#topology.summary()
    const answers = this.#topology.nodes.some(({ seen, verdict }) => seen && verdict.role !== 'foreign')
    return answers ? readOnly(failoverWait, why) : nobodyAnswers(failoverWait, why)
  }

  /** A mistake in the configuration, which waiting doesn't mend: nobody has ever answered, or all refuse the role. */
  #hopeless(): Error | undefined {
    const { nodes } = this.#topology
    const [first] = nodes
    if (!first || !nodes.every(({ down }) => down)) return undefined
    const never = nodes.every(({ answered }) => !answered)
    if (!never && !nodes.every(({ failure }) => isLasting(failure))) return undefined
    return cannotConnect(first.pool.config, first.failure)
  }

  #refuseCrowd(): void {
    if (this.#topology.waiting >= this.#limits.maxWaiting) throw tooManyWait(this.#topology.summary())
  }
}
