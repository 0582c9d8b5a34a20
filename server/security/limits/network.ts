import ipaddr from 'ipaddr.js'
import { networkOf } from '../sign-in/attempts'

/** An address or a network, parsed once. */
export interface Network {
  /** As the store has it: an IPv4 address, an IPv6 /64, or a network in CIDR form. */
  text: string
  /** Its bytes, with all bits behind `bits` zero. */
  bytes: readonly number[]
  bits: number
}

/** One client has all of an IPv6 /64: nothing narrower is told apart. */
const narrowest = { ipv4: 32, ipv6: 64 }

/**
 * Reads an address or a network in CIDR form; null for anything else. What a client may write in several ways has
 * one form: host bits are cut, an IPv4 address in IPv6 is IPv4, and an IPv6 network is a /64 or wider.
 */
export function parseNetwork(text: string): Network | null {
  const [address = '', prefix, more] = text.trim().split('/')
  if (more !== undefined || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return null
  const parsed = parseAddress(address)
  if (!parsed) return null
  const kind = parsed.kind()
  const mapped = kind === 'ipv4' && address.includes(':') ? 96 : 0
  const given = prefix === undefined ? narrowest[kind] : Number(prefix) - mapped
  if (given < 0 || given > (kind === 'ipv4' ? 32 : 128)) return null
  const bits = Math.min(given, narrowest[kind])
  const bytes = cut(parsed.toByteArray(), bits)
  return { text: textOf(bytes, bits), bytes, bits }
}

function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  // ipaddr.js also reads 127.1 and 0177.0.0.1, which mean different addresses to different programs.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return null
  const parsed = ipaddr.IPv6.parse(text)
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed
}

function cut(bytes: number[], bits: number): number[] {
  return bytes.map((byte, at) => {
    const kept = Math.min(8, Math.max(0, bits - 8 * at))
    return byte & (0xff << (8 - kept)) & 0xff
  })
}

function textOf(bytes: readonly number[], bits: number): string {
  const address = ipaddr.fromByteArray([...bytes]).toString()
  if (bytes.length === 4) return bits === 32 ? address : `${address}/${bits}`
  return bits === 64 ? networkOf(address) : `${address}/${bits}`
}

/** Whether `inner` lies in `outer`, or is the same. */
export function contains(outer: Network, inner: Network): boolean {
  if (outer.bytes.length !== inner.bytes.length || outer.bits > inner.bits) return false
  for (let at = 0; at * 8 < outer.bits; at++) {
    const kept = Math.min(8, outer.bits - 8 * at)
    const mask = (0xff << (8 - kept)) & 0xff
    if ((outer.bytes[at] as number) !== ((inner.bytes[at] as number) & mask)) return false
  }
  return true
}

/** The texts of every network that contains this one, itself first: what an index can look up. */
export function networksAround({ bytes, bits }: Network): string[] {
  return Array.from({ length: bits + 1 }, (_, wider) => textOf(cut([...bytes], bits - wider), bits - wider))
}
