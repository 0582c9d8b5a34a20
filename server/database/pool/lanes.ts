import type { Connection } from './connection'

/** Reads gather on few connections: those of one turn leave in one write and come back in few reads. */
const GATHER = 32
/** Statements on their way on one connection at most; more wait in line, where another connection may take them. */
const DEPTH = 128
/** Milliseconds after which what runs counts as stuck: nothing more is put behind it while there is a choice. */
export const STUCK_MS = 10
/** Milliseconds after which even the last lane is emptied for somebody who needs a whole connection. */
const PATIENCE_MS = 20

/** The lane for a statement: the first that still gathers, else the one with least before it, if it moves. */
export function bestLane(
  lanes: readonly Connection[],
  kind: 'read' | 'write',
  now: number,
  stuckMs: number,
): Connection | undefined {
  let best: Connection | undefined
  for (const lane of lanes) {
    if (!takes(lane, kind) || now - lane.headSince > stuckMs) continue
    if (gathers(lane)) return lane
    if (!best || lane.load < best.load) best = lane
  }
  return best
}

/** Whether a statement of that kind may join, whatever is before it. */
export function takes(lane: Connection, kind: 'read' | 'write'): boolean {
  return lane.kind === kind && !lane.reserved && !lane.broken && lane.load < DEPTH
}

/** Whether a lane is the first choice, before another connection: writes spread, since each waits for its commit. */
export function gathers(lane: Connection): boolean {
  return lane.kind === 'read' && lane.load < GATHER
}

/** Whether to empty a lane for `needed` waiters who want a whole connection, the first of them for `waitedMs`. */
export function mustEmpty(lanes: readonly Connection[], needed: number, waitedMs: number): boolean {
  let reserved = 0
  for (const lane of lanes) if (lane.reserved) reserved++
  if (needed <= reserved) return false
  return lanes.length - reserved > 1 || waitedMs > PATIENCE_MS
}
