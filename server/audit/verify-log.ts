import { createPublicKey } from 'node:crypto'
import type { AuditRow } from './chain'
import { CheckpointFiles } from './checkpoint-files'
import { type BreakKind, type Found, judge } from './judge'
import { type LogPlace, withSnapshot } from './log-source'
import { latestOf, listed, signedOnes } from './verdict'
import { Walk } from './walk'

/** What is to be verified, and by which keys. Plain data. */
export interface VerifyTask {
  place: LogPlace
  /** Folder of the checkpoint files. */
  folder: string
  macs: [id: string, key: Uint8Array][]
  /** PEM. */
  publicKeys: [id: string, pem: string][]
}

export interface VerificationResult {
  /** Nothing was found. */
  sound: boolean
  /** Rows that were read, and the first and last event among them. */
  rows: number
  first: number | null
  last: number | null
  /** The first hundred, by seq. */
  found: Found[]
  /** Events that each kind is about, over all that was found. */
  counts: Partial<Record<BreakKind, number>>
  /** What was found but is not listed. */
  unlisted: number
  checkpoints: {
    /** Signed by a known key. */
    signed: number
    /** Those whose event stands in the log as they say. */
    agreed: number
    /** Those of before a restore that was declared. */
    explained: number
    latest: { seq: number; time: number } | null
  }
  /** Events that no checkpoint protects yet, and when the oldest of them was written. */
  unprotected: { events: number; oldestAt: number | null }
  /** The log was pruned up to this event. */
  prunedTo: number | null
  /** Events that begin an epoch after a restore. */
  restoredAt: number[]
  /** Events of the log that tell of tampering that was found before. */
  reported: number[]
  /** Milliseconds. */
  took: number
}

/**
 * Verifies a log in place, from its first row to its head: chain, HMACs and checkpoints, in one read-only snapshot
 * and in bounded memory. Call it in a thread of its own: ten million events take minutes of CPU.
 * @param progress told of the rows read so far, and of the last seq that the head names.
 */
export async function verifyLog(
  { place, folder, macs, publicKeys }: VerifyTask,
  progress: (rows: number, last: number) => void = () => {},
): Promise<VerificationResult> {
  const begun = performance.now()
  const keys = new Map(publicKeys.map(([id, pem]) => [id, createPublicKey(pem)]))
  // Before the snapshot: what is signed meanwhile is of rows that it does not show.
  const read = signedOnes(await new CheckpointFiles(folder).read(), keys)
  return withSnapshot(place, async ({ head, rows }) => {
    const walk = new Walk({ macs: new Map(macs), checkpoints: read.signed })
    for await (const batch of rows()) {
      for (const row of batch as AuditRow[]) walk.add(row)
      progress(walk.rows, head?.seq ?? 0)
    }
    const { found, explained, prunedTo } = judge(walk, { checkpoints: read.signed, head })
    return {
      ...listed([...read.found, ...found]),
      rows: walk.rows,
      first: walk.first?.seq ?? null,
      last: walk.rows > 0 ? walk.highestSeq : null,
      checkpoints: {
        signed: read.signed.length,
        agreed: walk.agreed.length,
        explained,
        latest: latestOf(walk.agreed),
      },
      unprotected: { events: walk.unproven.rows, oldestAt: walk.unproven.oldestAt },
      prunedTo: prunedTo || null,
      restoredAt: walk.restored.map(({ seq }) => seq).slice(-20),
      reported: walk.reported,
      took: Math.round(performance.now() - begun),
    }
  })
}
