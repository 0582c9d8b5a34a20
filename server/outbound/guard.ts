import { type LookupAddress, type LookupAllOptions, lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { OutboundFailure } from './failure'
import { badPorts } from './ports'

/** Keeps calls away from what is not on the internet: the console's own machine and network, and their metadata. */
export interface Guard {
  /** Throws OutboundFailure for a URL that is never called, whatever its name leads to. */
  refuse(url: URL): void
  /**
   * Looks a name up for one connection: the addresses that were judged are the ones that are connected to, so that a
   * name which leads elsewhere a moment later gains nothing. An address as host is not looked up by Node: see `check`.
   */
  lookup: LookupFunction
  /** Throws OutboundFailure for a host that is an address which is not called. */
  check(host: string): void
}

type Resolve = (
  host: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/**
 * Opens a guard after OWASP's Server-Side Request Forgery Prevention Cheat Sheet: only global unicast addresses are
 * called, and networks of `allow` (addresses or CIDR). One bad address among those of a name refuses the name.
 */
export function openGuard(allow: readonly string[], resolve: Resolve = systemLookup): Guard {
  const allowed = allow.map(networkOf)
  const judge = (host: string, addresses: readonly string[]): OutboundFailure | undefined => {
    for (const address of addresses) {
      const why = inner(address)
      if (why !== null && !within(address, allowed)) return refused(host, address, why)
    }
    return undefined
  }
  const check = (host: string) => {
    const bare = host.replace(/^\[(.*)\]$/, '$1')
    const failure = isIP(bare) ? judge(bare, [bare]) : undefined
    if (failure) throw failure
  }
  return {
    check,
    refuse(url) {
      if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrongScheme(url.host)
      if (badPorts.has(Number(url.port))) throw wrongPort(url.host)
      check(url.hostname)
    },
    lookup(host, options, callback) {
      resolve(host, { ...options, all: true }, (error, addresses) => {
        if (error) return callback(error, '', 0)
        const failure = judge(
          host,
          addresses.map(({ address }) => address),
        )
        if (failure) return callback(failure, '', 0)
        if (options.all) return callback(null, addresses)
        const [first] = addresses
        callback(first ? null : new Error(`${host} has no address`), first?.address ?? '', first?.family ?? 0)
      })
    },
  }
}

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number]

/** An address or a CIDR network. Throws for anything else. */
export function networkOf(text: string): Network {
  if (text.includes('/')) return ipaddr.parseCIDR(text)
  const address = ipaddr.parse(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function within(address: string, networks: readonly Network[]): boolean {
  const parsed = ipaddr.parse(address)
  return networks.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match([network, bits]))
}

/** IPv6 that is routed on the internet (RFC 4291, 2.4; IANA gives addresses from this block alone). */
const global = ipaddr.parseCIDR('2000::/3')

/** Azure's own server for its machines: a global address that leads inside. */
const azure = '168.63.129.16'

const words: Record<string, string> = {
  loopback: 'this machine',
  unspecified: 'this machine',
  private: 'a private network',
  uniqueLocal: 'a private network',
  carrierGradeNat: 'a provider’s inner network',
  linkLocal: 'the local link, where clouds keep credentials',
  multicast: 'many machines at once',
  broadcast: 'many machines at once',
}

/** Why an address is not on the internet; null for one that is. Forms that hide an IPv4 address are none. */
function inner(address: string): string | null {
  if (!ipaddr.isValid(address)) return 'no address'
  const parsed = ipaddr.parse(address)
  const range = parsed.range()
  if (address === azure) return words.linkLocal ?? null
  if (range !== 'unicast') return words[range] ?? 'an address for special use'
  return parsed.kind() === 'ipv6' && !parsed.match(global) ? 'an address for special use' : null
}

const refusal = { kind: 'refused', again: false, breaks: false } as const

function refused(host: string, address: string, why: string): OutboundFailure {
  const named = host === address ? host : `${host} (${address})`
  return new OutboundFailure(refusal, {
    message: `${named} is not called: it is ${why}, not a server on the internet.`,
    remedy: `If it is meant, set OUTBOUND_ALLOW to its network, such as ${address}/${isIP(address) === 6 ? 128 : 32}, and start the console again.`,
  })
}

function wrongScheme(host: string): OutboundFailure {
  return new OutboundFailure(refusal, {
    message: `${host} is not called: the address is neither http nor https.`,
    remedy: 'Use an address that begins with https://.',
  })
}

function wrongPort(host: string): OutboundFailure {
  return new OutboundFailure(refusal, {
    message: `${host} is not called: its port belongs to another service than the web.`,
    remedy: 'Let the receiver listen on another port, such as 443.',
  })
}
