import { affinityOf, decimalOf } from '../plan/mapping'
import { quoteIdentifier } from '../plan/names'
import type { PlannedColumn, PlannedTable } from '../types'
import { chosenSource, chosenTarget, chosenText, sourceValue } from './chosen'
import { addUp, joinFields } from './fields'
import { countMarks } from './marks'

/**
 * SQLite itself renders the rows of a chunk as one blob of COPY text (https://www.postgresql.org/docs/current/sql-copy.html,
 * "Text Format"); JavaScript only moves buffers. Fields are parted by the unit separator, which texts hardly ever hold,
 * so that only backslash, line feed and carriage return would need an escape. Looking for those in the finished
 * chunk is cheaper than four replace() a value: see `isClean`.
 */
export const DELIMITER = '\x1f'

const LARGE_BLOB = 1 << 20

export function copyStatement(
  table: PlannedTable,
  schema: string,
  format: 'text' | 'binary' = 'text',
): string {
  const columns = table.columns.map((column) => quoteIdentifier(column.target)).join(', ')
  const form = format === 'text' ? `FORMAT text, DELIMITER E'\\x1f'` : 'FORMAT binary'
  return `COPY ${quoteIdentifier(schema)}.${quoteIdentifier(table.target)} (${columns}) FROM STDIN (${form})`
}

/** Columns whose text could hold a character that COPY needs escaped. */
export function isTextual(column: PlannedColumn): boolean {
  return (
    column.render === 'text' ||
    column.render === 'json' ||
    column.render === 'jsonb' ||
    column.render === 'uuid'
  )
}

/** Expression of one row as a line without its end; `escaped` names the columns that get replace() by source name. */
export function lineExpression(table: PlannedTable, escaped: ReadonlySet<string>): string {
  const fields = table.columns.map((column) => fieldExpression(column, escaped.has(column.source)))
  return fields.length === 1 ? (fields[0] as string) : joinFields(fields, `'${DELIMITER}'`)
}

/** COPY text of one value; `escaped`: with replace() for what has a meaning there. */
export function fieldExpression(column: PlannedColumn, escaped: boolean): string {
  const name = sourceValue(column)
  let value = chosenText(column, name) ?? name
  if (column.render === 'bytes') value = `'\\\\x' || hex(${name})`
  else if (mayBeNegativeZero(column))
    value = `CASE WHEN ${name} = 0 AND atan2(${name}, -1.0) < 0 THEN '-0' ELSE ${name} END`
  else if (escaped) {
    value = `replace(replace(replace(replace(${name}, '\\', '\\\\'), char(10), '\\n'), char(13), '\\r'), '${DELIMITER}', '\\${DELIMITER}')`
  }
  const neverNull = !column.nullable && column.evidence.nulls === 0
  return neverNull && column.render !== 'bytes'
    ? value
    : value === name
      ? `ifnull(${name}, '\\N')`
      : `ifnull(CASE WHEN ${name} IS NOT NULL THEN ${value} END, '\\N')`
}

/** Blobs alone, some of them large: they are compared by a hash, since every step of an expression copies a value. */
function hasLargeBlobs({ evidence }: PlannedColumn): boolean {
  return evidence.maxBytes > LARGE_BLOB && evidence.texts + evidence.integers + evidence.reals === 0
}

/** Columns of REAL affinity hold 0.0 for -0.0 already; untyped ones keep the sign. */
function mayBeNegativeZero(column: PlannedColumn): boolean {
  return column.render === 'real' && affinityOf(column.declaredType) !== 'REAL'
}

/** Expression that counts the backslashes that the rendering itself puts into a row. */
export function backslashExpression(table: PlannedTable): string {
  const counts = table.columns.flatMap((column) => {
    const name = sourceValue(column)
    if (column.render === 'bytes') return [`CASE WHEN ${name} IS NULL THEN 1 ELSE 2 END`]
    return !column.nullable && column.evidence.nulls === 0 ? [] : [`(${name} IS NULL)`]
  })
  return addUp(counts)
}

/**
 * Whether a rendered chunk says what was meant: as many line ends, delimiters and backslashes as the rendering made,
 * and no carriage return. A value with one of these raises a count, whatever its neighbours hold.
 */
export function isClean(chunk: Buffer, rows: number, columns: number, backslashes: number): boolean {
  if (chunk.indexOf(13) >= 0) return false
  const marks = countMarks(chunk)
  return (
    marks.backslashes === backslashes && marks.lines === rows && marks.delimiters === rows * (columns - 1)
  )
}

/** Doubles from 2^-9 to 2^53 are an integer and 62 binary places: both fit 64 bits, and nothing is rounded. */
const REAL_LOW = '0.001953125'
const REAL_HIGH = '9007199254740992.0'
const REAL_SCALE = '4611686018427387904.0'

/**
 * The canonical form of a value, as SQLite computes it: equal text means equal value. Doubles outside of the range that
 * integer arithmetic covers go through the function `holdfast_bits`, which the reader registers.
 */
export function canonicalSource(column: PlannedColumn): string {
  const name = sourceValue(column)
  const chosen = chosenSource(column, name)
  if (chosen) return chosen
  switch (column.render) {
    case 'real': {
      const whole = `CAST(${name} AS INTEGER)`
      const split = `${whole} || '_' || CAST((${name} - ${whole}) * ${REAL_SCALE} AS INTEGER)`
      const zero = mayBeNegativeZero(column)
        ? `CASE WHEN atan2(${name}, -1.0) < 0 THEN '-0' ELSE '0' END`
        : `'0'`
      return `CASE WHEN ${name} = 0 THEN ${zero} WHEN abs(${name}) >= ${REAL_LOW} AND abs(${name}) < ${REAL_HIGH} THEN ${split} WHEN ${name} IS NOT NULL THEN holdfast_bits(${name}) END`
    }
    case 'numeric': {
      const decimal = decimalOf(column.type)
      if (decimal)
        return `CASE WHEN ${name} IS NOT NULL THEN printf('%.${decimal.scale}f', ${name} + 0.0) END`
      return column.evidence.reals === 0
        ? name
        : `CASE WHEN typeof(${name}) = 'real' THEN holdfast_decimal(CAST(${name} AS TEXT)) ELSE ${name} END`
    }
    case 'bytes':
      return `CASE WHEN ${name} IS NOT NULL THEN ${hasLargeBlobs(column) ? 'holdfast_md5' : 'hex'}(${name}) END`
    case 'uuid':
      return `lower(${name})`
    default:
      return name
  }
}

/** The same form as PostgreSQL computes it from the stored value. */
export function canonicalTarget(column: PlannedColumn): string {
  const name = quoteIdentifier(column.target)
  const chosen = chosenTarget(column, name)
  if (chosen) return chosen
  switch (column.render) {
    case 'boolean':
      return `${name}::integer::text`
    case 'real': {
      const split = `trunc(${name})::bigint || '_' || ((${name} - trunc(${name})) * ${REAL_SCALE}::float8)::bigint`
      return `CASE WHEN ${name} = 0 THEN ${name}::text WHEN abs(${name}) >= ${REAL_LOW}::float8 AND abs(${name}) < ${REAL_HIGH}::float8 THEN ${split} ELSE encode(float8send(${name}), 'hex') END`
    }
    case 'numeric':
      return decimalOf(column.type) ? `${name}::text` : `trim_scale(${name})::text`
    case 'bytes':
      return hasLargeBlobs(column) ? `md5(${name})` : `upper(encode(${name}, 'hex'))`
    case 'time':
      return column.evidence.shape
        ? `to_char(${name}, '${timeForm(column.evidence.shape)}')`
        : `${name}::text`
    case 'text':
      return name
    default:
      return `${name}::text`
  }
}

/** to_char's pattern of a form. */
function timeForm(shape: string): string {
  if (shape === 'date') return 'YYYY-MM-DD'
  const digits = { 0: '', 3: '.MS', 6: '.US' }[shape[1] as '0' | '3' | '6']
  const quoted = (text: string) => (text === '' || text === ' ' ? text : `"${text}"`)
  return `YYYY-MM-DD${quoted(shape[0] as string)}HH24:MI:SS${digits}${quoted(shape.slice(2))}`
}

/** Bits of a double as 16 hexadecimal digits, like encode(float8send(x), 'hex'). */
export function bits(value: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes.toString('hex')
}

/** A double as the decimal that SQLite prints for it, without exponent and trailing zeros, like trim_scale(x)::text. */
export function plainDecimal(text: string): string {
  if (/inf/i.test(text)) return text.startsWith('-') ? '-Infinity' : 'Infinity'
  const match = /^(-?)(\d+)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text)
  if (!match) return text
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const point = whole.length + Number(exponent)
  const digits = (whole + fraction)
    .padEnd(point, '0')
    .padStart(whole.length + fraction.length + Math.max(0, 1 - point), '0')
  const cut = Math.max(point, 1)
  const integer = digits.slice(0, cut).replace(/^0+(?=\d)/, '')
  const rest = digits.slice(cut).replace(/0+$/, '')
  const plain = rest ? `${integer}.${rest}` : integer
  return plain === '0' ? '0' : sign + plain
}
