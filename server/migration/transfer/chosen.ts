import { isFalse, isTrue } from '../plan/fits'
import { quoteIdentifier } from '../plan/names'
import type { PlannedColumn } from '../types'

// Renderings that only a choice brings: a constant for NULL, booleans from words, moments from numbers.

/** What PostgreSQL refuses in any such column: a value that came after the plan must not become NULL. */
const REFUSED = `'?'`

/** The column in the source, with what stands for NULL. */
export function sourceValue({ source, instead }: PlannedColumn): string {
  const name = quoteIdentifier(source)
  return instead === undefined ? name : `ifnull(${name}, ${instead})`
}

/** A moment as a whole number of parts of a second since 1970. */
function moment({ render, evidence }: PlannedColumn, value: string): { whole: string; parts: number } | null {
  switch (render) {
    case 'seconds':
      return evidence.reals > 0
        ? { whole: `CAST(round(${value} * 1000000.0) AS INTEGER)`, parts: 1_000_000 }
        : { whole: value, parts: 1 }
    case 'milliseconds':
      return { whole: value, parts: 1000 }
    case 'julian':
      // SQLite's own rounding to milliseconds; 2440587.5 is the first of January 1970.
      return { whole: `(CAST(${value} * 86400000.0 + 0.5 AS INTEGER) - 210866760000000)`, parts: 1000 }
    default:
      return null
  }
}

/** COPY text of a value that is not NULL, for renderings of this file. */
export function chosenText(column: PlannedColumn, value: string): string | null {
  if (column.render === 'flag')
    return `CASE WHEN ${isTrue(value)} THEN 1 WHEN ${isFalse(value)} THEN 0 ELSE ${REFUSED} END`
  const found = moment(column, value)
  if (!found) return null
  const { whole, parts } = found
  const known = `typeof(${value}) IN ('integer', 'real')`
  const print = (seconds: string) => `strftime('%Y-%m-%d %H:%M:%S', ${seconds}, 'unixepoch')`
  if (parts === 1) return `CASE WHEN ${known} THEN ifnull(${print(whole)}, ${REFUSED}) ELSE ${REFUSED} END`
  const rest = `((${whole} % ${parts} + ${parts}) % ${parts})`
  const digits = parts === 1000 ? 3 : 6
  const text = `${print(`(${whole} - ${rest}) / ${parts}`)} || printf('.%0${digits}d', ${rest})`
  return `CASE WHEN ${known} THEN ifnull(${text}, ${REFUSED}) ELSE ${REFUSED} END`
}

/** Canonical form in the source: 1 or 0, or microseconds since 1970. */
export function chosenSource(column: PlannedColumn, value: string): string | null {
  if (column.render === 'flag') return `CASE WHEN ${value} IS NOT NULL THEN (${isTrue(value)}) END`
  const found = moment(column, value)
  return found && `${found.whole} * ${1_000_000 / found.parts}`
}

/** The same in the target. A double would round microseconds, which is what extract() gave before PostgreSQL 14. */
export function chosenTarget({ render }: PlannedColumn, name: string): string | null {
  if (render === 'flag') return `${name}::integer::text`
  if (render !== 'seconds' && render !== 'milliseconds' && render !== 'julian') return null
  return `(extract(epoch FROM date_trunc('minute', ${name}))::bigint * 1000000 + extract(microseconds FROM ${name})::bigint)::text`
}
