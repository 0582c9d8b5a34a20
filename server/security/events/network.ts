import ipaddr from 'ipaddr.js'

/** An address or a network that events are sought by. */
export interface Sought {
  bytes: readonly number[]
  bits: number
}

/** Reads an address or a network in CIDR form; null for anything else. Host bits count for nothing. */
export function parseSought(text: string): Sought | null {
  const [address = '', prefix, more] = text.trim().split('/')
  if (more !== undefined || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return null
  const bytes = bytesOf(address)
  if (!bytes) return null
  const most = bytes.length * 8
  const mapped = most === 32 && address.includes(':') ? 96 : 0
  const bits = prefix === undefined ? most : Number(prefix) - mapped
  return bits < 0 || bits > most ? null : { bytes, bits }
}

/** The bytes of an address; one of IPv4 in IPv6 is of IPv4. Null for what is none. */
export function bytesOf(address: string): number[] | null {
  // ipaddr.js also reads 127.1 and 0177.0.0.1, which mean different addresses to different programs.
  if (!address.includes(':')) return fourParts(address)
  if (address.includes('%') || !ipaddr.IPv6.isValid(address)) return null
  const parsed = ipaddr.IPv6.parse(address)
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toByteArray() : parsed.toByteArray()
}

/** Four decimal numbers up to 255, none with a leading zero. By hand: a search reads a hundred thousand of them. */
function fourParts(address: string): number[] | null {
  const bytes: number[] = []
  let byte = -1
  for (let at = 0; at <= address.length; at++) {
    const digit = address.charCodeAt(at) - 48
    if (digit >= 0 && digit <= 9) {
      if (byte === 0) return null
      byte = Math.max(byte, 0) * 10 + digit
      if (byte > 255) return null
    } else {
      if (byte < 0 || (at < address.length && digit !== DOT)) return null
      bytes.push(byte)
      byte = -1
    }
  }
  return bytes.length === 4 ? bytes : null
}

const DOT = '.'.charCodeAt(0) - 48

/** Whether an address, as an event has it, lies in what is sought. */
export function liesIn(sought: Sought, address: string): boolean {
  const own = bytesOf(address)
  return own !== null && lies(sought, own)
}

/** The same for the address's bytes. */
export function lies({ bytes, bits }: Sought, own: ArrayLike<number>): boolean {
  if (own.length !== bytes.length) return false
  for (let at = 0; at * 8 < bits; at++) {
    const mask = (0xff << (8 - Math.min(8, bits - 8 * at))) & 0xff
    if (((own[at] as number) & mask) !== ((bytes[at] as number) & mask)) return false
  }
  return true
}
