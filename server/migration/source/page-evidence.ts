import type Database from 'better-sqlite3'
import { affinityOf, decimalOf, isTimeType } from '../plan/mapping'
import { LeafReader, leafPages, NotPlain, type PageFile, storedTable } from '../transfer/pages'
import type { Bounds, Scan } from '../transfer/ranges'
import { digitsAt, integerAt, lengthOf, RecordReader } from '../transfer/record'
import type { ColumnEvidence, TimeShape } from '../types'
import { type EvidenceColumn, noEvidence, readEvidence } from './evidence'

/** A longer row is left to SQLite, which need not hold it as a whole. */
const LONGEST_ROW = 256 * 1024
/** Days of each month of a leap year. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

type Kind = 'rowid' | 'integer' | 'real' | 'text' | 'time'

/** What one column holds, as far as the rows were read. */
class Tally {
  present = 0
  blobs = 0
  bytes = 0
  maxBytes = 0
  /** Of numbers but integers of eight bytes, which have their own. */
  min = Number.POSITIVE_INFINITY
  max = Number.NEGATIVE_INFINITY
  minLarge: bigint | null = null
  maxLarge: bigint | null = null
  minTime = ''
  maxTime = ''
  /** It holds what only SQLite can tell about. */
  unusual = false

  number(value: number): void {
    this.present++
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
  }

  large(value: bigint): void {
    this.present++
    if (this.minLarge === null || value < this.minLarge) this.minLarge = value
    if (this.maxLarge === null || value > this.maxLarge) this.maxLarge = value
  }

  /** A text or blob. */
  measured(bytes: number): void {
    this.present++
    this.bytes += bytes
    if (bytes > this.maxBytes) this.maxBytes = bytes
  }

  /** Smallest and largest integer, as decimal text. */
  integers(): [min: string | null, max: string | null] {
    const small = Number.isFinite(this.min) ? [BigInt(this.min), BigInt(this.max)] : []
    const all = [...small, ...[this.minLarge, this.maxLarge].filter((value) => value !== null)]
    if (all.length === 0) return [null, null]
    const [first = 0n] = all
    const least = all.reduce((a, b) => (b < a ? b : a), first)
    const most = all.reduce((a, b) => (b > a ? b : a), first)
    return [least.toString(), most.toString()]
  }
}

/**
 * What a range of rows holds, column by column: from the pages where they alone hold the source's state and the column
 * is plain enough, in a tenth of the time; otherwise by SQLite. `file`: the pages of `db`, of which a read transaction
 * is open.
 */
export function evidenceOfRange(
  db: Database.Database,
  file: PageFile | null,
  scan: Scan,
  bounds: Bounds,
  columns: readonly EvidenceColumn[],
): ColumnEvidence[] {
  const plain = file ? readPageEvidence(db, file, scan, bounds, columns) : columns.map(() => null)
  const others = columns.filter((_, i) => plain[i] === null)
  const read = others.length > 0 ? readEvidence(db, scan, bounds, others) : []
  return plain.map((one) => one ?? (read.shift() as ColumnEvidence))
}

/** Null for a column that is left to SQLite, and for all of a table that is. */
export function readPageEvidence(
  db: Database.Database,
  file: PageFile,
  scan: Scan,
  bounds: Bounds,
  columns: readonly EvidenceColumn[],
): (ColumnEvidence | null)[] {
  const nothing = columns.map(() => null)
  const stored = storedTable(db, scan.table)
  if (!stored || scan.columns.length !== 1) return nothing
  const places = columns.map(({ name }) => stored.columns.findIndex((one) => one.name === name))
  const kinds = columns.map((column) => kindOf(column, scan.columns[0] as string))
  if (kinds.every((kind) => kind === null)) return nothing
  const nulls = places.map((place) => stored.columns[place]?.nullDefault === true)
  const tallies = columns.map(() => new Tally())
  try {
    const rows = readRows(file, stored.root, bounds, (from, record, count, rowid) => {
      for (let i = 0; i < kinds.length; i++) {
        const kind = kinds[i]
        const tally = tallies[i] as Tally
        if (!kind || tally.unusual) continue
        if (kind === 'rowid') tally.number(rowid)
        else {
          const place = places[i] as number
          if (place < count)
            add(
              tally,
              kind,
              from,
              record.types[place] as number,
              record.places[place] as number,
              columns[i]?.shape,
            )
          else if (!nulls[i]) tally.unusual = true
        }
      }
    })
    return columns.map((column, i) => {
      const [kind, tally] = [kinds[i], tallies[i] as Tally]
      return !kind || places[i] === -1 || tally.unusual ? null : evidenceOf(column, kind, rows, tally)
    })
  } catch (error) {
    if (error instanceof NotPlain) return nothing
    throw error
  }
}

/** How a column is read here; null where SQLite reads it. */
function kindOf({ name, declaredType, shape }: EvidenceColumn, rowid: string): Kind | null {
  if (name.toLowerCase() === rowid.toLowerCase()) return 'rowid'
  switch (affinityOf(declaredType)) {
    case 'TEXT':
      return isTimeType(declaredType) ? null : 'text'
    case 'INTEGER':
      return 'integer'
    case 'REAL':
      return 'real'
    case 'NUMERIC':
      if (decimalOf(declaredType)) return null
      return isTimeType(declaredType) ? (shape ? 'time' : null) : 'integer'
    case 'BLOB':
      return null
  }
}

/** Calls back for each row of a range; answers how many there are. */
function readRows(
  file: PageFile,
  root: number,
  bounds: Bounds,
  take: (from: Buffer, record: RecordReader, columns: number, rowid: number) => void,
): number {
  const range = {
    lo: bounds.lo ? Number(bounds.lo[0]) : -1,
    hi: bounds.hi ? Number(bounds.hi[0]) : Number.MAX_SAFE_INTEGER,
  }
  const reader = new LeafReader(file, LONGEST_ROW)
  const record = new RecordReader()
  let rows = 0
  for (const page of leafPages(file, root, range.lo, range.hi))
    reader.read(page, range, (from, start, _length, rowid) => {
      rows++
      take(from, record, record.read(from, start), rowid)
    })
  return rows
}

function add(
  tally: Tally,
  kind: Kind,
  from: Buffer,
  type: number,
  place: number,
  shape: TimeShape | undefined,
): void {
  if (type === 0) return
  switch (kind) {
    case 'text':
      if (type < 12) tally.unusual = true
      else {
        tally.measured(lengthOf(type))
        if (type % 2 === 0) tally.blobs++
      }
      return
    case 'time':
      if (type < 13 || type % 2 === 0 || !isTime(from, place, lengthOf(type), shape as TimeShape))
        tally.unusual = true
      else {
        tally.measured(lengthOf(type))
        const text = from.toString('latin1', place, place + lengthOf(type))
        if (tally.minTime === '' || text < tally.minTime) tally.minTime = text
        if (text > tally.maxTime) tally.maxTime = text
      }
      return
    default:
      if (type === 6) tally.large(from.readBigInt64BE(place))
      else if (type === 7 && kind === 'real') tally.number(from.readDoubleBE(place))
      else if (type < 10 && type !== 7) tally.number(integerAt(from, place, type))
      else tally.unusual = true
  }
}

/** Whether a text has the form of its column and names a real moment, as `shapeTest` asks SQLite (plan/fits.ts). */
function isTime(from: Buffer, place: number, length: number, shape: TimeShape): boolean {
  const [fraction, zone] = shape === 'date' ? [0, false] : [Number(shape[1]), shape.endsWith('Z')]
  const whole = shape === 'date' ? 10 : 19
  if (length !== whole + (fraction > 0 ? fraction + 1 : 0) + (zone ? 1 : 0)) return false
  const year = digitsAt(from, place, 4)
  const month = digitsAt(from, place + 5, 2)
  const day = digitsAt(from, place + 8, 2)
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1)) return false
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  if (day > (month === 2 && !leap ? 28 : (MONTH_DAYS[month - 1] as number))) return false
  if (from[place + 4] !== DASH || from[place + 7] !== DASH) return false
  if (shape === 'date') return true
  if (from[place + 10] !== shape.charCodeAt(0) || from[place + 13] !== COLON || from[place + 16] !== COLON)
    return false
  const hour = digitsAt(from, place + 11, 2)
  const minute = digitsAt(from, place + 14, 2)
  const second = digitsAt(from, place + 17, 2)
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return false
  if (fraction > 0 && (from[place + 19] !== POINT || !(digitsAt(from, place + 20, fraction) >= 0)))
    return false
  return !zone || from[place + length - 1] === ZONE
}

const [DASH, COLON, POINT, ZONE] = [45, 58, 46, 90]

function evidenceOf(column: EvidenceColumn, kind: Kind, rows: number, tally: Tally): ColumnEvidence {
  const { present, blobs, maxBytes, bytes } = tally
  const evidence: ColumnEvidence = { ...noEvidence, rows, nulls: column.notNull ? 0 : rows - present }
  // Declared NOT NULL: every row has a value, as SQLite is not asked either.
  const values = column.notNull ? rows : present
  switch (kind) {
    case 'text':
      return { ...evidence, texts: values - blobs, blobs, bytes, maxBytes }
    case 'time':
      return {
        ...evidence,
        ...(present > 0 && { texts: values, min: tally.minTime, max: tally.maxTime }),
        ...{ bytes, maxBytes },
        ...((present === 0 || tally.minTime >= '0001') && column.shape && { shape: column.shape }),
      }
    case 'real': {
      const all = [
        tally.min,
        tally.max,
        Number(tally.minLarge ?? tally.min),
        Number(tally.maxLarge ?? tally.max),
      ]
      const [min, max] = [String(Math.min(...all)), String(Math.max(...all))]
      return { ...evidence, ...(present > 0 && { reals: values, min, max }), bytes: 8 * values }
    }
    default: {
      const [min, max] = tally.integers()
      return { ...evidence, ...(present > 0 && { integers: values, min, max }), bytes: 8 * values }
    }
  }
}
