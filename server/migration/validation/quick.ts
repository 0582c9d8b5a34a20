import { affinityOf } from '../plan/mapping'
import { quoteIdentifier } from '../plan/names'
import { sourceValue } from '../transfer/chosen'
import type { PlannedColumn } from '../types'
import { canonicalSource, canonicalTarget } from './forms'

/** How both engines write a column's values, so that equal text means equal values. */
export interface Form {
  source(column: PlannedColumn): string
  target(column: PlannedColumn): string
  /** Sums that can overflow, and texts that can differ for equal values: a chunk that differs is read again. */
  quick: boolean
}

/** Equal values always have equal text. */
export const CANONICAL: Form = { source: canonicalSource, target: canonicalTarget, quick: false }

/**
 * Values as the engines print them by themselves, which costs half. Both print a double so that it reads back the
 * same, but not always with the same digits: then the chunk is compared again in canonical form.
 */
export const QUICK: Form = {
  source(column) {
    const name = sourceValue(column)
    // The sign of a negative zero is lost in this form: a column of REAL affinity never had it.
    return isPlainReal(column)
      ? `CASE WHEN ${name} = CAST(${name} AS INTEGER) THEN CAST(${name} AS INTEGER) ELSE ${name} END`
      : canonicalSource(column)
  },
  target(column) {
    const name = quoteIdentifier(column.target)
    return isPlainReal(column) || isPrinted(column) ? name : canonicalTarget(column)
  },
  quick: true,
}

const isPlainReal = ({ compare, render, declaredType }: PlannedColumn) =>
  !compare && render === 'real' && affinityOf(declaredType) === 'REAL'

/** PostgreSQL's own output is the canonical form. */
function isPrinted({ compare, render, evidence }: PlannedColumn): boolean {
  if (compare) return false
  if (render === 'time') return evidence.shape === ' 0' || evidence.shape === 'date'
  return render === 'integer' || render === 'text' || render === 'uuid'
}
