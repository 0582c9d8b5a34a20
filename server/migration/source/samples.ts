import type Database from 'better-sqlite3'
import { isFlagWord } from '../plan/fits'
import { isTimeType } from '../plan/mapping'
import { quoteIdentifier } from '../plan/names'
import { orderBy, type Scan } from '../transfer/ranges'
import type { TimeShape } from '../types'
import { shapeOf } from './evidence'

/** Rows that are looked at from each end of a table and from its middle. */
const ROWS = 100
/** Longer values are not read for a sample. */
const LONGEST = 65_536
const SHOWN = 5
const SHOWN_CHARACTERS = 60

/** What texts may be beside texts. */
export type TextForm = 'uuid' | 'json' | 'flag' | TimeShape

/** A column with what its first values look like; travels to a thread. */
export interface SampledColumn {
  name: string
  declaredType: string
  /** Some of its values, shown as text. */
  samples: string[]
  /** Forms that most of its sampled texts have: worth a test over all rows. */
  forms: TextForm[]
  /** Form that the first value of a declared time has; every other is compared with it. */
  shape?: TimeShape
}

type Value = bigint | number | string | Buffer | null

/** Reads a few rows of a table, and of sparse columns of declared times the first value. */
export function sampleColumns(
  db: Database.Database,
  scan: Scan,
  columns: readonly { name: string; declaredType: string }[],
): SampledColumn[] {
  const rows = readSome(db, scan, columns)
  return columns.map(({ name, declaredType }, i) => {
    const values = rows.map((row) => row[i] as Value).filter((value) => value !== null)
    const first = isTimeType(declaredType) ? firstValue(db, scan.table, name) : undefined
    const shape = typeof first === 'string' ? shapeOf(first) : undefined
    return {
      name,
      declaredType,
      samples: [...new Set(values.map(showValue))].slice(0, SHOWN),
      forms: textForms(values.filter((value) => typeof value === 'string')),
      ...(shape && { shape }),
    }
  })
}

function readSome(db: Database.Database, scan: Scan, columns: readonly { name: string }[]): Value[][] {
  const list = columns.map(({ name }) => {
    const column = quoteIdentifier(name)
    return `CASE WHEN octet_length(${column}) <= ${LONGEST} THEN ${column} END`
  })
  const from = `FROM ${quoteIdentifier(scan.table)}`
  const forward = orderBy(scan)
  const backward = orderBy({ ...scan, descending: !scan.descending })
  const read = (rest: string, ...values: unknown[]) =>
    db
      .prepare(`SELECT ${list.join(', ')} ${from} ${rest} LIMIT ${ROWS}`)
      .raw()
      .safeIntegers()
      .all(...values) as Value[][]
  const ends = [...read(`ORDER BY ${forward}`), ...read(`ORDER BY ${backward}`)]
  const key = scan.columns.length === 1 && quoteIdentifier(scan.columns[0] as string)
  if (!key) return ends
  // Half way between the least and the greatest number, each looked up by itself; keys of text have no middle.
  const middle = db
    .prepare(`SELECT (SELECT min(${key}) ${from}) / 2 + (SELECT max(${key}) ${from}) / 2`)
    .pluck()
    .safeIntegers()
    .get()
  return typeof middle === 'bigint' ? [...ends, ...read(`WHERE ${key} >= ? ORDER BY ${key}`, middle)] : ends
}

function firstValue(db: Database.Database, table: string, name: string): unknown {
  const column = quoteIdentifier(name)
  return db
    .prepare(`SELECT ${column} FROM ${quoteIdentifier(table)} WHERE ${column} IS NOT NULL LIMIT 1`)
    .pluck()
    .get()
}

/** Forms of at least half of the texts; of times the one that most have. */
function textForms(texts: string[]): TextForm[] {
  const half = Math.max(1, texts.length / 2)
  const forms: TextForm[] = []
  const count = (test: (text: string) => boolean) => texts.filter(test).length
  if (count((text) => /^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/i.test(text)) >= half) forms.push('uuid')
  if (count(isDocument) >= half) forms.push('json')
  if (count(isFlagWord) >= half) forms.push('flag')
  const shapes = new Map<TimeShape, number>()
  for (const text of texts) {
    const shape = shapeOf(text)
    if (shape) shapes.set(shape, (shapes.get(shape) ?? 0) + 1)
  }
  const [common] = [...shapes].sort((a, b) => b[1] - a[1])
  const times = [...shapes.values()].reduce((sum, n) => sum + n, 0)
  if (common && times >= half) forms.push(common[0])
  return forms
}

function isDocument(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** A value as text of at most 60 characters. */
export function showValue(value: unknown): string {
  const text = Buffer.isBuffer(value) ? `x'${value.subarray(0, 30).toString('hex')}'` : String(value)
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 1)}…` : text
}
