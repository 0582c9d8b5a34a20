import type { ServerSession } from '@/components/database/types'
import { MISSING } from '@/components/ui/format'
import { Status, type StatusKind } from '@/components/ui/status'

const STATES: Record<ServerSession['state'], { kind: StatusKind; word: string }> = {
  active: { kind: 'ok', word: 'Active' },
  idle: { kind: 'off', word: 'Idle' },
  'idle in transaction': { kind: 'warn', word: 'Idle in transaction' },
  'idle in transaction (aborted)': { kind: 'warn', word: 'Idle in failed transaction' },
  other: { kind: 'off', word: 'Other' },
}

export function SessionState({ state }: { state: ServerSession['state'] }) {
  return <Status kind={STATES[state].kind}>{STATES[state].word}</Status>
}

/** What a session waits for, as far as it waits for others: they are named. */
export function waitWords({ waitsFor, blockedBy }: ServerSession): string {
  if (blockedBy.length === 0) return waitsFor ?? MISSING
  const shown = blockedBy.slice(0, 3).map(pidWords).join(', ')
  return `${blockedBy.length > 3 ? `${shown} and ${blockedBy.length - 3} more` : shown}${waitsFor ? `, ${waitsFor}` : ''}`
}

/** A blocker without a process is a prepared transaction: it holds its locks until it is committed or rolled back. */
export const pidWords = (pid: number) => (pid === 0 ? 'a prepared transaction' : String(pid))

/** Age at the moment of the reading; null where nothing began. The server's clock may be a little ahead. */
export function ageOf(startedAt: number | null, at: number): number | null {
  return startedAt === null ? null : Math.max(0, at - startedAt)
}
