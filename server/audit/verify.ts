import { type AuditRow, chained, genesis } from './chain'

/** What is wrong with a chain, and at which row it shows. */
export interface ChainBreak {
  kind: 'modified' | 'missing' | 'reordered' | 'forked' | 'truncated' | 'unknown key'
  seq: number
}

export interface ChainFacts {
  /** The key of an id, for the HMAC of each row. */
  key(id: string): Uint8Array | undefined
  /** The head row: where the chain must end. */
  head?: { seq: number; hash: string }
  /** The row before the first one, when the walk does not start at the beginning. */
  after?: { seq: number; hash: string }
}

/**
 * Walks rows in the order of the log and names every break of the chain: a row whose content, hash or HMAC
 * do not fit was modified; a gap in seq is missing; a hash that two rows follow is a fork.
 */
export function verifyRows(rows: Iterable<AuditRow>, facts: ChainFacts): ChainBreak[] {
  const breaks: ChainBreak[] = []
  let previous = facts.after ?? { seq: 0, hash: genesis }
  const followed = new Set<string>()
  for (const row of rows) {
    const key = facts.key(row.keyId)
    const expected = chained(row, key ?? new Uint8Array(32))
    if (expected.hash !== row.hash) breaks.push({ kind: 'modified', seq: row.seq })
    else if (!key) breaks.push({ kind: 'unknown key', seq: row.seq })
    else if (expected.mac !== row.mac) breaks.push({ kind: 'modified', seq: row.seq })
    if (followed.has(row.previousHash)) breaks.push({ kind: 'forked', seq: row.seq })
    else if (row.seq <= previous.seq) breaks.push({ kind: 'reordered', seq: row.seq })
    else if (row.seq > previous.seq + 1) breaks.push({ kind: 'missing', seq: previous.seq + 1 })
    else if (row.previousHash !== previous.hash)
      breaks.push({ kind: 'modified', seq: previous.seq || row.seq })
    followed.add(row.previousHash)
    previous = row
  }
  const { head } = facts
  if (head && head.seq > previous.seq) breaks.push({ kind: 'truncated', seq: previous.seq + 1 })
  else if (head && head.hash !== previous.hash) breaks.push({ kind: 'modified', seq: head.seq })
  return breaks
}
