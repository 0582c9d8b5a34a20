import type { IndexChange, OfferedAdvice, OfferedIndex, OfferedProblem } from '@/components/database/types'
import { formatBytes, formatCount } from '@/components/ui/format'
import type { StatusKind } from '@/components/ui/status'

/** How costs were found, as the reader should trust them. */
export const methodWords: Record<OfferedAdvice['method'], { name: string; how: string }> = {
  hypopg: { name: 'HypoPG', how: 'the server planned as if the index were there' },
  statistics: {
    name: 'statistics',
    how: 'reckoned from the server’s statistics; the server itself did not plan with it',
  },
  'schema-copy': { name: 'schema copy', how: 'planned on a copy of the schema with a sample of the rows' },
}

export const confidenceWords: Record<OfferedIndex['confidence'], { kind: StatusKind; word: string }> = {
  high: { kind: 'ok', word: 'High' },
  medium: { kind: 'busy', word: 'Medium' },
  low: { kind: 'warn', word: 'Low' },
}

export const problemWords: Record<OfferedProblem['kind'], { kind: StatusKind; word: string }> = {
  duplicate: { kind: 'warn', word: 'Duplicate index' },
  redundant: { kind: 'warn', word: 'Redundant index' },
  unused: { kind: 'warn', word: 'Unused index' },
  invalid: { kind: 'bad', word: 'Invalid index' },
  'foreign-key': { kind: 'warn', word: 'Foreign key without index' },
  'stale-statistics': { kind: 'warn', word: 'Stale statistics' },
  'long-transaction': { kind: 'bad', word: 'Long transaction' },
}

export const changeWords: Record<IndexChange['state'], { kind: StatusKind; word: string }> = {
  running: { kind: 'busy', word: 'Running' },
  applied: { kind: 'ok', word: 'Applied' },
  failed: { kind: 'bad', word: 'Failed' },
  undoing: { kind: 'busy', word: 'Undoing' },
  undone: { kind: 'off', word: 'Undone' },
}

type Shape = OfferedIndex['index']

/** The index in sentences: `By customer_id, then made_at, the last first. Carries total.` Null for one plain column. */
export function inWords({ keys, include, where }: Shape): string | null {
  if (keys.length === 1 && !keys[0]?.descending && include.length === 0 && where === null) return null
  const by = keys
    .map(({ name, descending }) => (descending ? `${name}, the last first` : name))
    .join(', then ')
  return [
    `By ${by}.`,
    include.length > 0 ? `Carries ${include.join(', ')}, so that the table need not be read.` : '',
    where === null ? '' : `Only rows where ${where}.`,
  ]
    .filter(Boolean)
    .join(' ')
}

/** A table with its schema, unless that is the usual one. */
export const tableOf = ({ schema, table }: Pick<Shape, 'schema' | 'table'>) =>
  schema === null || schema === 'public' ? table : `${schema}.${table}`

/** What every write pays for one more index. */
export function writeCost({
  indexes,
  inserts,
  updates,
  deletes,
  slowsUpdatesOf,
}: OfferedIndex['writes']): string {
  const sum = inserts + updates + deletes
  const written =
    sum === 0
      ? 'No row was written since the counters began.'
      : `Since the counters began: ${[
          formatCount(inserts, 'insert'),
          formatCount(updates, 'update'),
          formatCount(deletes, 'delete'),
        ].join(', ')}.`
  const slower =
    slowsUpdatesOf.length === 0 ? '' : ` Updates of ${slowsUpdatesOf.join(', ')} must then keep it up too.`
  return `${formatCount(indexes, 'index', 'indexes')} there already. ${written}${slower}`
}

/** What making an index does to others meanwhile, and how large it gets. */
export function makeEffect(ddl: string, place: string, bytes: number | null): string {
  const size = bytes ? `, about ${formatBytes(bytes)}` : ''
  const meanwhile = /\bconcurrently\b/i.test(ddl)
    ? 'Reads and writes go on while it is built.'
    : 'Writes wait while it is built.'
  return `Makes the index on ${place}${size}. ${meanwhile} Undo drops it again.`
}

export function dropEffect(ddl: string, place: string, bytes: number): string {
  const meanwhile = /\bconcurrently\b/i.test(ddl) ? 'Reads and writes go on meanwhile.' : 'It takes a moment.'
  return `Drops the index of ${place}${bytes > 0 ? ` and frees ${formatBytes(bytes)}` : ''}. ${meanwhile} Undo makes it again.`
}

/** Mean times before and after, as a factor: above 1 it became faster. Null until both are known. */
export function effectOf({ before, after }: Pick<IndexChange, 'before' | 'after'>): number | null {
  if (!before || !after || before.calls === 0 || after.calls === 0) return null
  return before.meanMs / Math.max(after.meanMs, 0.001)
}
