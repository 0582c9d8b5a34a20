import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import type { Node } from './node'
import type { NodeRole, TopologyEvent } from './types'

const MOST = 100

export interface EventsDeps {
  log: Log
  clock: Clock
  told(event: TopologyEvent): void
}

/** Tells changes of who is what: to the log, to the callback, and to the page. */
export class Events {
  readonly list: TopologyEvent[] = []
  readonly #deps: EventsDeps
  readonly #roles = new Map<Node, NodeRole>()
  #primary: Node | undefined
  #lost = false

  constructor(deps: EventsDeps) {
    this.#deps = deps
  }

  /** Compares with what was told before. A server that is just being asked anew has not changed yet. */
  compare(nodes: readonly Node[], primary: Node | undefined): void {
    this.#comparePrimary(nodes, primary)
    for (const node of nodes) {
      const { role } = node.verdict
      const before = this.#roles.get(node)
      if (role === 'unknown' || role === before) continue
      this.#roles.set(node, role)
      if (role === 'stale') this.#note('stale-primary', node, `${node.verdict.because} It gets nothing.`)
      else if (role === 'foreign') this.#deps.log.warn({ node: node.name }, `${node.verdict.because}`)
      else if (role === 'replica' && before !== undefined && before !== 'primary')
        this.#note('replica-back', node, `${node.name} is a replica that answers.`)
      else if (role === 'down' && before !== 'primary' && node !== this.#primary)
        this.#note('replica-lost', node, `${node.name} does not answer.`)
    }
  }

  #comparePrimary(nodes: readonly Node[], primary: Node | undefined): void {
    const before = this.#primary
    if (primary) {
      if (before && before !== primary)
        this.#note('primary-changed', primary, `${primary.name} is primary in place of ${before.name}.`)
      else if (this.#lost)
        this.#note('primary-found', primary, `${primary.name} is primary and takes writes.`)
      this.#primary = primary
      this.#lost = false
      return
    }
    const open = nodes.some(({ verdict }) => verdict.role === 'unknown' || verdict.role === 'primary')
    if (this.#lost || open) return
    this.#lost = true
    const node = before ?? (nodes[0] as Node)
    this.#note(
      'primary-lost',
      node,
      before ? `${before.name} is lost as primary: writes wait.` : 'No server takes writes.',
    )
  }

  #note(kind: TopologyEvent['kind'], node: Node, message: string): void {
    const event = { at: this.#deps.clock.now(), kind, node: node.name, message }
    this.list.unshift(event)
    this.list.length = Math.min(this.list.length, MOST)
    const bad = kind === 'primary-lost' || kind === 'stale-primary' || kind === 'replica-lost'
    this.#deps.log[bad ? 'warn' : 'info']({ node: node.name, kind }, message)
    this.#deps.told(event)
  }
}
