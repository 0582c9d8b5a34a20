import { type Affinity, affinityOf } from '../plan/mapping'
import { quoteIdentifier, quoteLiteral } from '../plan/names'
import type { ColumnEvidence, PlannedColumn, TimeShape } from '../types'
import type { Select } from './ast'
import { Refusal } from './cursor'

/** What an expression gives in PostgreSQL. 'other': only whether it is NULL is known to mean the same. */
export type Kind = 'boolean' | 'integer' | 'real' | 'numeric' | 'text' | 'bytes' | 'time' | 'null' | 'other'

/** An expression of PostgreSQL with what is known of its value. */
export interface Typed {
  sql: string
  kind: Kind
  /** The text of a literal, without quotes. */
  literal?: string
  /** Of a column or a cast: by it SQLite converts what is compared with it. */
  affinity?: Affinity
  /** Collation by which SQLite compares the text, when it isn't BINARY. */
  collation?: string
  /** By a COLLATE of the expression's own, which goes before those of columns. */
  explicit?: true
  /** The text form in SQLite of what is a time in PostgreSQL. */
  shape?: TimeShape
  /** A timestamp with time zone. */
  zone?: boolean
  /** A whole number that is known to be no smaller. */
  atLeast?: number
  /** The same as a whole number, where a column for numbers makes one of the text. */
  whole?: string
  /** int4 in PostgreSQL, so that arithmetic would overflow early. */
  narrow?: boolean
}

export interface KnownColumn extends Typed {
  source: string
  /** Not among those that * stands for: a rowid. */
  hidden?: true | undefined
  /** What a generated column is made of, to be put where PostgreSQL allows no reference to one. */
  expanded?: string | undefined
}

/** Where names are looked up. `query` translates a subquery, where one may stand. */
export interface Scope {
  find(name: string, table?: string): KnownColumn | undefined
  query?(select: Select): { sql: string; columns: Typed[] }
}

/** One translation: what it needs, and what it found out. */
export interface Context {
  scope: Scope
  /** Set when a function is used whose result depends on more than its arguments. */
  stable: boolean
  /** Index keys that serve queries alone may be written the way that PostgreSQL's users write them. */
  idiomatic?: boolean
  /** Aggregates may stand here. */
  aggregates?: boolean
}

/** A planned column as a name in expressions; `prefix` stands before it: a table's alias, NEW or OLD. */
export function knownColumn(column: PlannedColumn, prefix = '', collation?: string): KnownColumn {
  const kind = kindOf(column)
  const shape = kind === 'time' ? (column.evidence.shape ?? presumedShape(column)) : undefined
  const exact = holdsOnly(kind, column.evidence, shape) || onlyFitting(kind, column)
  return {
    source: column.source,
    sql: `${prefix}${quoteIdentifier(column.target)}`,
    kind: exact ? kind : 'other',
    affinity: affinityOf(column.declaredType),
    ...(collation && collation.toUpperCase() !== 'BINARY' && { collation: collation.toUpperCase() }),
    ...(shape && { shape, zone: column.type === 'timestamp with time zone' }),
    ...(kind === 'integer' && { narrow: column.type !== 'bigint' }),
  }
}

function kindOf({ render }: PlannedColumn): Kind {
  const known: readonly string[] = ['boolean', 'integer', 'real', 'numeric', 'text', 'bytes', 'time']
  return known.includes(render) ? (render as Kind) : 'other'
}

/** Without values the form is the one that SQLite's own functions write. */
function presumedShape({ type, evidence }: PlannedColumn): TimeShape | undefined {
  if (evidence.rows > evidence.nulls) return undefined
  return type === 'date' ? 'date' : type === 'timestamp with time zone' ? 'T3Z' : ' 0'
}

/** Whether SQLite stores every value in the class that the kind stands for, so that it compares them the same way. */
function holdsOnly(kind: Kind, evidence: ColumnEvidence, shape: TimeShape | undefined): boolean {
  const { integers, reals, texts, blobs } = evidence
  switch (kind) {
    case 'integer':
    case 'boolean':
      return reals + texts + blobs === 0
    case 'real':
    case 'numeric':
      return texts + blobs === 0
    case 'text':
      return integers + reals + blobs === 0
    case 'bytes':
      return integers + reals + texts === 0
    case 'time':
      return shape !== undefined && integers + reals + blobs === 0
    default:
      return false
  }
}

/** Rows with values of other classes are rejected. */
function onlyFitting(kind: Kind, { fits, source }: PlannedColumn): boolean {
  const tested = fits !== undefined && fits !== `${quoteIdentifier(source)} IS NOT NULL`
  return tested && ['integer', 'boolean', 'real', 'numeric', 'time'].includes(kind)
}

export function textLiteral(text: string): Typed {
  if (text.includes('\0')) throw new Refusal('A text holds a NUL character.')
  return { sql: quoteLiteral(text), kind: 'text', literal: text }
}

/** A number as written; integers past 64 bits are REAL in SQLite. */
export function numberLiteral(text: string): Typed {
  if (!/^\d+$/.test(text)) return { sql: `${text}::double precision`, kind: 'real', literal: text }
  const value = BigInt(text)
  if (value >= 1n << 63n) return { sql: `${text}::double precision`, kind: 'real', literal: text }
  const plain = value.toString()
  return { sql: plain, kind: 'integer', literal: plain, atLeast: Number(value), narrow: value < 1n << 31n }
}

/** As a truth: what SQLite does with WHERE, CHECK, WHEN, AND, OR and NOT. */
export function asCondition(value: Typed): string {
  switch (value.kind) {
    case 'boolean':
      return value.sql
    case 'null':
      return 'NULL::boolean'
    case 'integer':
      if (value.literal !== undefined) return value.literal === '0' ? 'false' : 'true'
      return `(${value.sql} <> 0)`
    case 'real':
    case 'numeric':
      return `(${value.sql} <> 0)`
    default:
      throw new Refusal('A text is taken for true or false.')
  }
}

/** A truth as 0 or 1. */
export function asNumber(value: Typed): Typed {
  switch (value.kind) {
    case 'boolean':
      return { sql: `(${value.sql})::integer`, kind: 'integer', atLeast: 0, narrow: true }
    case 'numeric':
      return { sql: `(${value.sql})::double precision`, kind: 'real' }
    case 'integer':
    case 'real':
      return value
    default:
      throw new Refusal('A value that may not be a number is calculated with.')
  }
}

/** The text that SQLite makes of a value. */
export function asText(context: Context, value: Typed): Typed {
  const { collation, explicit, affinity } = value
  switch (value.kind) {
    case 'text':
      return value
    case 'integer':
      return value.literal === undefined
        ? { sql: `(${value.sql})::text`, kind: 'text' }
        : textLiteral(value.literal)
    case 'boolean':
      return { sql: `(${value.sql})::integer::text`, kind: 'text' }
    case 'time':
      context.stable = true
      return {
        sql: `to_char(${value.zone ? `${value.sql} AT TIME ZONE 'UTC'` : value.sql}, ${quoteLiteral(timePattern(value.shape as TimeShape))})`,
        kind: 'text',
        ...(affinity && { affinity }),
        ...(collation && { collation }),
        ...(explicit && { explicit }),
      }
    case 'null':
      return { sql: 'NULL::text', kind: 'text' }
    default:
      throw new Refusal('PostgreSQL writes such a number or blob as another text.')
  }
}

/** to_char's pattern of a form. */
function timePattern(shape: TimeShape): string {
  if (shape === 'date') return 'YYYY-MM-DD'
  const digits = { 0: '', 3: '.MS', 6: '.US' }[shape[1] as '0' | '3' | '6']
  const zone = shape.endsWith('Z') ? '"Z"' : ''
  return `YYYY-MM-DD${shape[0] === 'T' ? '"T"' : ' '}HH24:MI:SS${digits}${zone}`
}
