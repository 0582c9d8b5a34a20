import { Varint } from './pages'

/** Bytes of a value by its serial type (https://www.sqlite.org/fileformat.html#record_format); texts and blobs tell their own. */
export const SIZES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0]

/** Bytes of a text or blob by its serial type. */
export const lengthOf = (type: number): number => (type - 12 - (type & 1)) / 2

/** A stored integer as a double; its serial type is one of 1 to 6, 8 and 9. */
export function integerAt(from: Buffer, place: number, type: number): number {
  if (type >= 8) return type - 8
  if (type === 6) return Number(from.readBigInt64BE(place))
  const end = place + (SIZES[type] as number)
  let value = ((from[place] as number) << 24) >> 24
  for (let at = place + 1; at < end; at++) value = value * 256 + (from[at] as number)
  return value
}

/** A number of so many decimal digits; NaN where there are others. */
export function digitsAt(from: Buffer, place: number, count: number): number {
  let value = 0
  for (let at = place; at < place + count; at++) {
    const digit = (from[at] as number) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

/** Finds the columns of one record after the other. */
export class RecordReader {
  /** Serial type and place of each column of the record that was read last. */
  readonly types: number[] = []
  readonly places: number[] = []
  readonly #varint = new Varint()

  /** Reads the head of the record that begins at `start`; answers how many columns it has. */
  read(from: Buffer, start: number): number {
    const { types, places } = this
    const varint = this.#varint
    const end = start + varint.read(from, start)
    let at = varint.next
    let place = end
    let columns = 0
    while (at < end) {
      let type = from[at++] as number
      // Most are short: those of more bytes alone are worth a call.
      if (type >= 0x80) {
        type = varint.read(from, at - 1)
        at = varint.next
      }
      types[columns] = type
      places[columns] = place
      columns++
      place += type < 12 ? (SIZES[type] as number) : lengthOf(type)
    }
    return columns
  }
}
