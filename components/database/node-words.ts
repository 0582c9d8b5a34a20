import type { StatusKind } from '@/components/ui/status'
import type { NodeFigures } from './types'

/** How the role of a node is said: shape, word, and whether its row wants attention. */
export const ROLES: Record<NodeFigures['role'], { kind: StatusKind; word: string; tone?: 'warn' | 'bad' }> = {
  primary: { kind: 'ok', word: 'Primary' },
  replica: { kind: 'ok', word: 'Replica' },
  stale: { kind: 'warn', word: 'Old primary', tone: 'warn' },
  down: { kind: 'bad', word: 'Down', tone: 'bad' },
  foreign: { kind: 'bad', word: 'Another cluster', tone: 'bad' },
  unknown: { kind: 'busy', word: 'Not known yet' },
}

export function nodeName({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
