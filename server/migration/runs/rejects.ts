import { HoldfastError } from '@/server/errors'
import type { Run } from './run'

/** Refuses to go on to the target while rows were rejected and nobody has accepted that. Throws CONFLICT. */
export function refuseUnaccepted({ report, accepted }: Pick<Run, 'report' | 'accepted'>): void {
  const rejected = report?.rejected ?? 0
  if (rejected === 0 || accepted?.rejected === rejected) return
  throw new HoldfastError('CONFLICT', {
    message: `${rowsWere(rejected)} rejected and nobody has accepted that.`,
    remedy: 'Look at the rejected rows and accept them, or cancel the run and choose other types.',
  })
}

/** `3 rows were`, for a sentence. */
export const rowsWere = (count: number) =>
  `${count.toLocaleString('en')} ${count === 1 ? 'row was' : 'rows were'}`

/** How many rows of each table a run left in its source, by the table's name in the target. */
export function rejectedByTable({ report }: Pick<Run, 'report'>): ReadonlyMap<string, number> {
  return new Map(report?.tables.map(({ table, rejected }) => [table, rejected]))
}
