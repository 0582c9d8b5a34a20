/** A place in the log of one cluster: the timeline and the byte. Compared by byte alone; PostgreSQL goes on counting. */
export interface Lsn {
  timeline: number
  byte: bigint
}

const WRITTEN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i

/** Reads PostgreSQL's own notation, such as 16/B374D848; undefined for anything else. */
export function byteOf(text: string): bigint | undefined {
  const [, high, low] = WRITTEN.exec(text) ?? []
  if (high === undefined || low === undefined) return undefined
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}

/** Writes PostgreSQL's own notation. */
export function lsnText(byte: bigint): string {
  return `${(byte >> 32n).toString(16).toUpperCase()}/${(byte & 0xffff_ffffn).toString(16).toUpperCase()}`
}

/** The higher one; undefined stands before everything. */
export function later(a: Lsn | undefined, b: Lsn | undefined): Lsn | undefined {
  if (!a || !b) return a ?? b
  if (a.timeline !== b.timeline) return a.timeline > b.timeline ? a : b
  return a.byte > b.byte ? a : b
}
