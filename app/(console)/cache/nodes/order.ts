import type { NodeFacts } from '@/components/cache/types'
import type { StatusKind } from '@/components/ui/status'

/** How a node is said: shape, word, and whether its row wants attention. */
export function roleOf({ error, role, linked }: NodeFacts): {
  kind: StatusKind
  word: string
  tone?: 'warn' | 'bad'
} {
  if (error !== null) return { kind: 'bad', word: 'No answer', tone: 'bad' }
  if (role === 'replica' && linked === false) return { kind: 'warn', word: 'Replica, cut off', tone: 'warn' }
  if (role === null) return { kind: 'busy', word: 'Not known yet' }
  return { kind: 'ok', word: role === 'primary' ? 'Primary' : 'Replica' }
}

/** Nodes that fail first, then replicas that are cut off, then each primary with its replicas below it. */
export function ordered(nodes: readonly NodeFacts[]): NodeFacts[] {
  return [...nodes].sort(
    (a, b) =>
      trouble(a) - trouble(b) ||
      compare(a.primary ?? a.address, b.primary ?? b.address) ||
      Number(a.role === 'replica') - Number(b.role === 'replica') ||
      compare(a.address, b.address),
  )
}

const trouble = (node: NodeFacts) => ({ bad: 0, warn: 1, none: 2 })[roleOf(node).tone ?? 'none']
const compare = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true })
