import type { PlannedColumn, TimeShape } from '../types'
import { NotPlain } from './pages'
import { digitsAt, integerAt, lengthOf, RecordReader, SIZES } from './record'

/** What opens and closes a binary COPY (https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"). */
export const HEAD = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
export const TAIL = Buffer.from([0xff, 0xff])

/** How a stored value becomes a field. */
export type Way = 'int2' | 'int4' | 'int8' | 'boolean' | 'double' | 'text' | 'bytes' | 'date' | 'timestamp'

/** One field of a row: the column's place in the record, or the rowid itself. */
export interface Field {
  way: Way
  /** -1: the rowid. */
  index: number
  /** What a record that ends before this column stands for is NULL; otherwise it is left to SQLite. */
  nullDefault: boolean
  shape: TimeShape | undefined
}

const INTEGERS: Record<string, Way> = { smallint: 'int2', integer: 'int4', bigint: 'int8' }

/** How a column's values are encoded; null where it is left to SQLite's rendering. */
export function wayOf({ render, type, evidence }: PlannedColumn): Way | null {
  switch (render) {
    case 'integer':
      return INTEGERS[type] ?? null
    case 'boolean':
      return type === 'boolean' ? 'boolean' : null
    case 'real':
      return type === 'double precision' ? 'double' : null
    case 'text':
      return type === 'text' || /^character varying\b/.test(type) ? 'text' : null
    case 'bytes':
      return type === 'bytea' ? 'bytes' : null
    case 'time':
      if (!evidence.shape) return null
      if (type === 'date') return evidence.shape === 'date' ? 'date' : null
      return /^timestamp\b/.test(type) && evidence.shape !== 'date' ? 'timestamp' : null
    default:
      return null
  }
}

/** Bytes of a field that is no text or blob, at most: its length and eight bytes. */
const LARGEST = 12
/** Texts up to here are copied faster byte by byte than by a call. */
const SHORT = 64
const DAY_SECONDS = 86_400
/** Days from 1970 to 2000, where PostgreSQL counts from. */
const EPOCH_DAYS = 10_957

/** Encodes records of SQLite as rows of a binary COPY, into a buffer that grows. */
export class RowEncoder {
  bytes: Buffer
  length = 0
  /** Whoever took what was encoded last still reads it from `bytes`. */
  #lent = false
  readonly #fields: Field[]
  readonly #expect: number
  #view: DataView
  readonly #record = new RecordReader()

  /** `expect`: bytes that a chunk has at the end, about. */
  constructor(fields: Field[], expect: number) {
    this.#fields = fields
    this.#expect = expect
    this.bytes = Buffer.allocUnsafeSlow(expect)
    this.#view = viewOf(this.bytes)
  }

  /** What was encoded since the last call. The buffer is the caller's until it is given back. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length)
    this.#lent = true
    this.length = 0
    return taken
  }

  /** Nobody reads what was taken last any more: it is written over, while the processor's caches still hold it. */
  giveBack(): void {
    this.#lent = false
  }

  /** Forgets what was encoded since it was taken last. */
  discard(): void {
    this.length = 0
  }

  /** Adds the row of a record. Throws NotPlain for a value that its column does not take as it is. */
  add(from: Buffer, start: number, length: number, rowid: number): void {
    const fields = this.#fields
    this.#reserve(length + LARGEST * fields.length + 2)
    const columns = this.#record.read(from, start)
    const { bytes } = this
    const { types, places } = this.#record
    let at = this.length
    bytes[at++] = fields.length >> 8
    bytes[at++] = fields.length
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] as Field
      const { index } = field
      if (index < 0) {
        at = this.#writeRowid(field.way, rowid, at)
        continue
      }
      if (index >= columns && !field.nullDefault) throw new NotPlain('a row from before its column')
      const type = index < columns ? (types[index] as number) : 0
      if (type === 0) {
        bytes[at++] = 0xff
        bytes[at++] = 0xff
        bytes[at++] = 0xff
        bytes[at++] = 0xff
        continue
      }
      const place = places[index] as number
      switch (field.way) {
        case 'int8':
          at = this.#writeInteger(from, place, type, at, 8)
          break
        case 'text':
          if (type < 12 || type % 2 === 0) throw new NotPlain('no text')
          at = this.#writeBytes(from, place, lengthOf(type), at)
          break
        case 'double':
          at = this.#writeDouble(from, place, type, at)
          break
        case 'timestamp':
          at = this.#writeTimestamp(from, place, type, at, field.shape as TimeShape)
          break
        case 'int4':
          at = this.#writeInteger(from, place, type, at, 4)
          break
        case 'boolean':
          at = this.#writeBoolean(from, place, type, at)
          break
        case 'bytes':
          if (type < 12 || type % 2 === 1) throw new NotPlain('no blob')
          at = this.#writeBytes(from, place, lengthOf(type), at)
          break
        case 'date':
          at = this.#writeDate(from, place, type, at)
          break
        case 'int2':
          at = this.#writeInteger(from, place, type, at, 2)
          break
      }
    }
    this.length = at
  }

  #reserve(more: number): void {
    if (this.#lent) this.#move(this.#expect)
    this.#lent = false
    const needed = this.length + more
    if (needed > this.bytes.length) this.#move(Math.max(needed, this.bytes.length * 2))
  }

  #move(size: number): void {
    const other = Buffer.allocUnsafeSlow(size)
    this.bytes.copy(other, 0, 0, this.length)
    this.bytes = other
    this.#view = viewOf(other)
  }

  #writeRowid(way: Way, rowid: number, at: number): number {
    const view = this.#view
    if (way === 'int8') {
      view.setInt32(at, 8)
      view.setUint32(at + 4, Math.floor(rowid / 2 ** 32))
      view.setUint32(at + 8, rowid % 2 ** 32)
      return at + 12
    }
    if (way !== 'int4' || rowid > 0x7fff_ffff) throw new NotPlain('a rowid of another size')
    view.setInt32(at, 4)
    view.setInt32(at + 4, rowid)
    return at + 8
  }

  /** Both sides keep integers in two's complement, most significant byte first: only the sign is carried on. */
  #writeInteger(from: Buffer, place: number, type: number, start: number, size: number): number {
    const { bytes } = this
    const stored = SIZES[type] as number
    if (type === 7 || type > 9 || stored > size) throw new NotPlain('no integer of the size')
    let at = start
    bytes[at++] = 0
    bytes[at++] = 0
    bytes[at++] = 0
    bytes[at++] = size
    if (stored === 0) {
      for (let i = 1; i < size; i++) bytes[at++] = 0
      bytes[at++] = type - 8
      return at
    }
    const sign = (from[place] as number) >= 0x80 ? 0xff : 0
    for (let i = stored; i < size; i++) bytes[at++] = sign
    for (let i = 0; i < stored; i++) bytes[at++] = from[place + i] as number
    return at
  }

  #writeBoolean(from: Buffer, place: number, type: number, at: number): number {
    const value = type === 8 || type === 9 ? type - 8 : type === 1 ? (from[place] as number) : 2
    if (value > 1) throw new NotPlain('neither 0 nor 1')
    this.#view.setInt32(at, 1)
    this.bytes[at + 4] = value
    return at + 5
  }

  #writeDouble(from: Buffer, place: number, type: number, at: number): number {
    const { bytes } = this
    const view = this.#view
    view.setInt32(at, 8)
    if (type === 7) for (let i = 0; i < 8; i++) bytes[at + 4 + i] = from[place + i] as number
    else if (type > 9) throw new NotPlain('no number')
    else view.setFloat64(at + 4, integerAt(from, place, type))
    return at + 12
  }

  #writeBytes(from: Buffer, place: number, length: number, start: number): number {
    const { bytes } = this
    this.#view.setInt32(start, length)
    const at = start + 4
    if (length > SHORT) from.copy(bytes, at, place, place + length)
    else for (let i = 0; i < length; i++) bytes[at + i] = from[place + i] as number
    return at + length
  }

  #writeDate(from: Buffer, place: number, type: number, at: number): number {
    if (type !== 13 + 2 * 10) throw new NotPlain('no date')
    this.#view.setInt32(at, 4)
    this.#view.setInt32(at + 4, dayAt(from, place) - EPOCH_DAYS)
    return at + 8
  }

  /** Microseconds since 2000. */
  #writeTimestamp(from: Buffer, place: number, type: number, at: number, shape: TimeShape): number {
    const places = shape.charCodeAt(1) - 48
    const zone = shape.length - 2
    if (type !== 13 + 2 * (19 + (places > 0 ? places + 1 : 0) + zone))
      throw new NotPlain('no time of the form')
    const hour = digitsAt(from, place + 11, 2)
    const seconds = hour * 3600 + digitsAt(from, place + 14, 2) * 60 + digitsAt(from, place + 17, 2)
    const parts = places > 0 ? digitsAt(from, place + 20, places) * (places === 3 ? 1000 : 1) : 0
    const whole = (dayAt(from, place) - EPOCH_DAYS) * DAY_SECONDS + seconds
    const micros = whole * 1_000_000 + parts
    if (!Number.isSafeInteger(micros)) throw new NotPlain('no time, or one too far off')
    const view = this.#view
    view.setInt32(at, 8)
    const high = Math.floor(micros / 2 ** 32)
    view.setInt32(at + 4, high)
    view.setUint32(at + 8, micros - high * 2 ** 32)
    return at + 12
  }
}

const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** Days since 1970 of YYYY-MM-DD, as the proleptic Gregorian calendar counts on both sides. */
function dayAt(from: Buffer, place: number): number {
  const month = digitsAt(from, place + 5, 2)
  // The year begins in March, so that the leap day ends it.
  const written = digitsAt(from, place, 4)
  if (written === 0) throw new NotPlain('the year 0, which PostgreSQL lacks')
  const year = written - (month <= 2 ? 1 : 0)
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + digitsAt(from, place + 8, 2) - 1
  const leapDays = Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400)
  const days = year * 365 + leapDays + dayOfYear - 719_468
  if (Number.isNaN(days)) throw new NotPlain('no date')
  return days
}
