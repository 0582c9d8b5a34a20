import type { KeyObject } from 'node:crypto'
import { type Checkpoint, isSigned } from './checkpoint'
import type { ReadCheckpoints } from './checkpoint-files'
import { type BreakKind, countsOf, type Found } from './judge'

const MOST_LISTED = 100

/** What was found as a person can take it in: the first hundred, and how many events each kind is about. */
export function listed(found: Found[]): {
  sound: boolean
  found: Found[]
  unlisted: number
  counts: Partial<Record<BreakKind, number>>
} {
  return {
    sound: found.length === 0,
    found: found.slice(0, MOST_LISTED),
    unlisted: Math.max(0, found.length - MOST_LISTED),
    counts: countsOf(found),
  }
}

/** Those whose signature fits a known key, in the order of the log, and what is to be said of the others. */
export function signedOnes(
  { checkpoints, unreadable }: ReadCheckpoints,
  keys: ReadonlyMap<string, KeyObject>,
): { signed: Checkpoint[]; found: Found[] } {
  const signed: Checkpoint[] = []
  const found = unreadable.map(({ file, line }): Found => unreadableAt(0, `${file}, line ${line}`))
  const strangers = new Map<string, Found>()
  for (const checkpoint of checkpoints) {
    const { seq, key: id } = checkpoint
    const key = keys.get(id)
    if (!key) {
      const stranger = strangers.get(id)
      const [low, high] = [Math.min(seq, stranger?.seq ?? seq), Math.max(seq, stranger?.to ?? seq)]
      strangers.set(id, { kind: 'unknown key', seq: low, to: high, note: `checkpoints by the key ${id}` })
    } else if (isSigned(checkpoint, key)) signed.push(checkpoint)
    else found.push(unreadableAt(seq, 'its signature does not fit'))
  }
  signed.sort((a, b) => a.seq - b.seq || a.time - b.time)
  return { signed, found: [...found, ...strangers.values()] }
}

const unreadableAt = (seq: number, note: string): Found => ({
  kind: 'checkpoint unreadable',
  seq,
  to: seq,
  note,
})

/** The one that proves most. */
export function latestOf(agreed: readonly Checkpoint[]): { seq: number; time: number } | null {
  const last = agreed.at(-1)
  return last ? { seq: last.seq, time: last.time } : null
}
