import type { ColumnEvidence, Render, TimeShape } from '../types'

export type Affinity = 'INTEGER' | 'TEXT' | 'BLOB' | 'REAL' | 'NUMERIC'

/** Column affinity from the declared type (https://www.sqlite.org/datatype3.html#determination_of_column_affinity). */
export function affinityOf(declaredType: string): Affinity {
  const type = declaredType.toUpperCase()
  if (type.includes('INT')) return 'INTEGER'
  if (/CHAR|CLOB|TEXT/.test(type)) return 'TEXT'
  if (type === '' || type.includes('BLOB')) return 'BLOB'
  if (/REAL|FLOA|DOUB/.test(type)) return 'REAL'
  return 'NUMERIC'
}

export function isTimeType(declaredType: string): boolean {
  return /^(date|datetime|timestamp|timestamptz)\b/i.test(declaredType.trim())
}

export function isBooleanType(declaredType: string): boolean {
  return /^bool(ean)?\b/i.test(declaredType.trim())
}

/** Precision and scale of DECIMAL(p,s), if a double holds every such number exactly enough to print it (p ≤ 15). */
export function decimalOf(declaredType: string): { precision: number; scale: number } | null {
  const match = /^(?:decimal|numeric|dec|number)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)$/i.exec(
    declaredType.trim(),
  )
  if (!match) return null
  const precision = Number(match[1])
  const scale = Number(match[2] ?? 0)
  return precision >= 1 && precision <= 15 && scale <= precision ? { precision, scale } : null
}

export interface Mapping {
  type: string
  render: Render
  note?: string
}

/** PostgreSQL type of a date or time form. */
export function timeType(shape: TimeShape): string {
  if (shape === 'date') return 'date'
  return shape.endsWith('Z') ? 'timestamp with time zone' : 'timestamp without time zone'
}

/**
 * Declarations that promise 32 bits or fewer in other databases; INTEGER is SQLite's own word for 64
 * (docs/decisions/0015).
 */
const NARROW =
  /^(?:(?:int|int4|mediumint)|(?:int2|smallint|tinyint)(?:\s+unsigned)?|(?:int2|smallint|tinyint)\s*\(\d+\)(?:\s+unsigned)?|(?:int|mediumint)\s*\(\d+\))$/i
const HEADROOM = 1n << 30n

/**
 * The type that holds every value of a column exactly: what was declared where all rows agree with it,
 * otherwise a wider one, with a note. Integers become bigint unless declaration and rows both say that 32 bits do.
 */
export function mapColumn(declaredType: string, evidence: ColumnEvidence): Mapping {
  const affinity = affinityOf(declaredType)
  const { integers, reals, texts, blobs } = evidence
  const numbers = integers + reals
  if (numbers + texts + blobs === 0) return mapByDeclaration(declaredType, affinity)
  if (blobs > 0) return mapBlobs(affinity, evidence)
  if (texts > 0) return mapTexts(declaredType, affinity, evidence)

  if (isBooleanType(declaredType)) {
    if (reals === 0 && isBit(evidence.min) && isBit(evidence.max))
      return { type: 'boolean', render: 'boolean' }
    return {
      ...mapNumbers(declaredType, affinity, evidence),
      note: 'Declared boolean, but holds other numbers than 0 and 1.',
    }
  }
  if (isTimeType(declaredType)) {
    return {
      ...mapNumbers(declaredType, affinity, evidence),
      note: 'Declared as a time, but holds numbers: kept as they are.',
    }
  }
  const decimal = decimalOf(declaredType)
  if (decimal && evidence.decimal) {
    return { type: `numeric(${decimal.precision},${decimal.scale})`, render: 'numeric' }
  }
  if (isDecimalType(declaredType) && allFinite(evidence)) {
    const note = decimal ? `Not every value fits ${declaredType}: kept as numeric without limits.` : undefined
    return { type: 'numeric', render: 'numeric', ...(note && { note }) }
  }
  return mapNumbers(declaredType, affinity, evidence)
}

function isDecimalType(declaredType: string): boolean {
  return /^(decimal|numeric|dec|number)\b/i.test(declaredType.trim())
}

function allFinite(evidence: ColumnEvidence): boolean {
  return !/inf/i.test(`${evidence.min} ${evidence.max}`)
}

function isBit(value: string | null): boolean {
  return value === '0' || value === '1'
}

function mapByDeclaration(declaredType: string, affinity: Affinity): Mapping {
  if (isBooleanType(declaredType)) return { type: 'boolean', render: 'boolean' }
  if (/^date$/i.test(declaredType.trim())) return { type: 'date', render: 'time' }
  if (isTimeType(declaredType)) return { type: 'timestamp without time zone', render: 'time' }
  const decimal = decimalOf(declaredType)
  if (decimal) return { type: `numeric(${decimal.precision},${decimal.scale})`, render: 'numeric' }
  switch (affinity) {
    case 'INTEGER':
      return { type: 'bigint', render: 'integer' }
    case 'REAL':
      return { type: 'double precision', render: 'real' }
    case 'NUMERIC':
      return isDecimalType(declaredType)
        ? { type: 'numeric', render: 'numeric' }
        : { type: 'text', render: 'text' }
    case 'BLOB':
      return declaredType === '' ? { type: 'text', render: 'text' } : { type: 'bytea', render: 'bytes' }
    default:
      return { type: 'text', render: 'text' }
  }
}

function mapBlobs(affinity: Affinity, evidence: ColumnEvidence): Mapping {
  const others = evidence.integers + evidence.reals + evidence.texts
  if (others === 0) {
    const note = affinity === 'BLOB' ? undefined : 'Holds blobs alone, whatever was declared.'
    return { type: 'bytea', render: 'bytes', ...(note && { note }) }
  }
  return {
    type: 'bytea',
    render: 'bytes',
    note: `Blobs (${evidence.blobs}) beside other values (${others}): text and numbers are kept as the bytes of their text.`,
  }
}

function mapTexts(declaredType: string, affinity: Affinity, evidence: ColumnEvidence): Mapping {
  const numbers = evidence.integers + evidence.reals
  if (numbers === 0 && evidence.shape && isTimeType(declaredType)) {
    return { type: timeType(evidence.shape), render: 'time' }
  }
  const text: Mapping = { type: 'text', render: 'text' }
  if (affinity === 'TEXT') return text
  if (numbers > 0) {
    return { ...text, note: `Texts (${evidence.texts}) beside numbers (${numbers}): kept as text.` }
  }
  if (isTimeType(declaredType))
    return { ...text, note: 'Not every value is a time of one form: kept as text.' }
  return affinity === 'NUMERIC' && !isBooleanType(declaredType) && !decimalOf(declaredType)
    ? text
    : { ...text, note: `Declared ${declaredType || 'without a type'}, but holds text alone.` }
}

function mapNumbers(declaredType: string, affinity: Affinity, evidence: ColumnEvidence): Mapping {
  const { integers, reals } = evidence
  if (reals === 0) return { type: integerType(declaredType, evidence), render: 'integer' }
  if (integers === 0) return { type: 'double precision', render: 'real' }
  if (allFinite(evidence)) {
    const note = `Integers (${integers}) beside fractions (${reals}): numeric holds both exactly.`
    return { type: 'numeric', render: 'numeric', ...(affinity !== 'NUMERIC' && { note }) }
  }
  return fitsDouble(evidence)
    ? { type: 'double precision', render: 'real', note: 'Integers beside fractions and infinities.' }
    : { type: 'text', render: 'text', note: 'Integers past 2^53 beside infinities: kept as text.' }
}

function integerType(declaredType: string, { min, max }: ColumnEvidence): 'integer' | 'bigint' {
  if (!NARROW.test(declaredType.trim()) || min === null || max === null) return 'bigint'
  return BigInt(min) >= -HEADROOM && BigInt(max) < HEADROOM ? 'integer' : 'bigint'
}

/** Infinities cover the bounds of the integers, so that only columns without large values are known to fit. */
function fitsDouble(evidence: ColumnEvidence): boolean {
  const within = (value: string | null) =>
    value !== null && Math.abs(Number(value)) <= Number.MAX_SAFE_INTEGER
  return within(evidence.min) || within(evidence.max)
}
