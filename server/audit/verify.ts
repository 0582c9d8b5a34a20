import type { AuditRow } from './chain'
import { type BreakKind, judge } from './judge'
import { Walk } from './walk'

/** What is wrong with a chain, and at which row it shows. */
export interface ChainBreak {
  kind: BreakKind
  seq: number
}

export interface ChainFacts {
  /** The key of an id, for the HMAC of each row. */
  key(id: string): Uint8Array | undefined
  /** The head row: where the chain must end. */
  head?: { seq: number; hash: string } | undefined
  /** The row before the first one, when the walk does not start at the beginning. */
  after?: { seq: number; hash: string } | undefined
}

/**
 * Walks rows in the order of the log and names every break of the chain, event by event: for some hundred rows. The
 * whole log is verified in a thread (./verification), with its checkpoints.
 */
export function verifyRows(rows: Iterable<AuditRow>, { key, head, after }: ChainFacts): ChainBreak[] {
  const macs = { get: key } as ReadonlyMap<string, Uint8Array>
  const walk = new Walk({ macs, checkpoints: [], after })
  for (const row of rows) walk.add(row)
  return judge(walk, { checkpoints: [], head }).found.flatMap(({ kind, seq, to }) =>
    Array.from({ length: to - seq + 1 }, (_, at) => ({ kind, seq: seq + at })),
  )
}
