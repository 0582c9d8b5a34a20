import type { KeyObject } from 'node:crypto'
import type { AuditRow } from './chain'
import { parseCheckpoints, type ReadCheckpoints } from './checkpoint-files'
import { type BreakKind, type Found, judge } from './judge'
import { latestOf, listed, signedOnes } from './verdict'
import { Walk } from './walk'

/** Raised when a file is no export of events at all. */
export class NoExport extends Error {
  override name = 'NoExport'
}

export interface ExportResult {
  /** Nothing was found. */
  sound: boolean
  rows: number
  first: number | null
  last: number | null
  /** Stretches of the log that are not in it. */
  gaps: number
  found: Found[]
  unlisted: number
  counts: Partial<Record<BreakKind, number>>
  checkpoints: { signed: number; agreed: number; latest: { seq: number; time: number } | null }
  /** Events that a checkpoint proves, by itself or by the chain up to it. */
  proven: number
  /** Events behind the last checkpoint, and when the oldest of them was written. */
  unsigned: { events: number; oldestAt: number | null }
  /** Events before a gap that no checkpoint proves: they fit their own hash, which anybody can compute. */
  loose: number
}

export interface ExportTask {
  /** NDJSON: an event a line, with every field. */
  lines: AsyncIterable<string> | Iterable<string>
  /** Content of checkpoint files, by their names. */
  checkpoints: { name: string; content: string }[]
  publicKeys: ReadonlyMap<string, KeyObject>
  /** Gaps are expected: the export was made with a filter. */
  filtered: boolean
}

/**
 * Verifies an export with public keys alone: chain and checkpoints. Who has no key can't tell events behind the last
 * checkpoint from invented ones. Throws NoExport.
 */
export async function verifyExport(task: ExportTask): Promise<ExportResult> {
  const read = signedOnes(readAll(task.checkpoints), task.publicKeys)
  const walk = new Walk({ checkpoints: read.signed })
  const unreadable: Found[] = []
  let number = 0
  for await (const line of task.lines) {
    number++
    if (line.trim() === '') continue
    const row = parseRow(line)
    if (row) walk.add(row)
    else if (walk.rows === 0) throw new NoExport(`Line ${number} is no event: the file is no NDJSON export.`)
    else {
      const seq = walk.highestSeq + 1
      unreadable.push({ kind: 'modified', seq, to: seq, note: `line ${number} cannot be read` })
    }
  }
  const { found } = judge(walk, { checkpoints: read.signed })
  const told = task.filtered ? found.filter(({ kind }) => kind !== 'missing') : found
  return {
    ...listed([...read.found, ...unreadable, ...told]),
    rows: walk.rows,
    first: walk.first?.seq ?? null,
    last: walk.rows > 0 ? walk.highestSeq : null,
    gaps: found.filter(({ kind }) => kind === 'missing').length,
    checkpoints: {
      signed: read.signed.length,
      agreed: walk.agreed.length,
      latest: latestOf(walk.agreed),
    },
    proven: walk.provenRows,
    unsigned: { events: walk.unproven.rows, oldestAt: walk.unproven.oldestAt },
    loose: walk.looseRows,
  }
}

function readAll(files: ExportTask['checkpoints']): ReadCheckpoints {
  const read = files.map(({ name, content }) => ({ name, ...parseCheckpoints(content) }))
  return {
    checkpoints: read.flatMap(({ checkpoints }) => checkpoints),
    unreadable: read.flatMap(({ name, unreadable }) => unreadable.map((line) => ({ file: name, line }))),
  }
}

const texts = ['event', 'actor', 'outcome', 'previousHash', 'hash', 'keyId'] as const
const optional = [
  ...['actorId', 'target', 'reason', 'address', 'userAgent', 'sessionId', 'requestId'],
  ...['before', 'after', 'severity', 'source'],
] as const
const numbers = ['seq', 'epoch', 'time'] as const

function parseRow(line: string): AuditRow | undefined {
  let row: Record<string, unknown>
  try {
    row = Object(JSON.parse(line)) as Record<string, unknown>
  } catch {
    return undefined
  }
  const fits =
    numbers.every((name) => Number.isSafeInteger(row[name])) &&
    texts.every((name) => typeof row[name] === 'string') &&
    optional.every((name) => row[name] === null || typeof row[name] === 'string')
  return fits ? (row as unknown as AuditRow) : undefined
}
