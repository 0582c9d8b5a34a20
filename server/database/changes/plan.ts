import { createHash } from 'node:crypto'
import type { IndexAdvice, IndexProblem } from '../advisor'
import { quoteName } from '../advisor/normalise'

/** What one piece of advice asks the server to do, and how it is taken back. */
export interface Plan {
  key: string
  kind: 'create' | 'drop'
  /** As it stands in SQL, with its schema where that is known. */
  table: string
  index: string
  ddl: string
  undo: string
  expected: { costBefore: number; costAfter: number } | null
  fingerprints: string[]
}

/** The same piece of advice has the same key on every instance. */
export const keyOf = (ddl: string) => createHash('sha256').update(ddl).digest('hex').slice(0, 16)

/** Of advice on an index to make; its costs are those of the statement with most time. */
export function planOfAdvice({ index, name, ddl, undo, verdicts }: IndexAdvice, names: string[]): Plan {
  const evidence = verdicts.find((verdict) => verdict.evidence)?.evidence
  return {
    ...{ key: keyOf(ddl), kind: 'create', index: name, ddl, undo },
    table: [index.schema, index.table].flatMap((part) => (part === null ? [] : quoteName(part))).join('.'),
    expected: evidence ? { costBefore: evidence.costBefore, costAfter: evidence.costAfter } : null,
    fingerprints: [...new Set(names)],
  }
}

/** Undefined where no index is to be made or dropped, or where that could not be taken back. */
export function planOfProblem({ kind, place, index, ddl, undo }: IndexProblem): Plan | undefined {
  if (ddl === null || undo === null) return undefined
  const rest = { key: keyOf(ddl), table: place, ddl, undo, expected: null, fingerprints: [] }
  if (kind === 'foreign-key') {
    const name = /^CREATE INDEX (?:CONCURRENTLY )?("(?:[^"]|"")+"|[^\s"]+) ON /.exec(ddl)?.[1]
    return name === undefined ? undefined : { ...rest, kind: 'create', index: bare(name) }
  }
  return index !== null && /^DROP INDEX /.test(ddl) ? { ...rest, kind: 'drop', index } : undefined
}

const bare = (name: string) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name)
