import { BlockList, isIP } from 'node:net'

/**
 * The address of a client. It is the peer of the socket unless that is a trusted proxy; then X-Forwarded-For is
 * walked from the right to the first hop that is not one. Whatever stands further left was chosen by the client.
 * A malformed hop means that the header cannot be believed: the peer counts.
 * @param trusted addresses and networks (10.0.0.0/8, fd00::/8)
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | null | undefined,
  trusted: readonly string[],
): string {
  const from = plainAddress(peer) ?? peer
  if (trusted.length === 0 || !forwardedFor || !contains(trusted, from)) return from
  const hops = forwardedFor.split(',').map((hop) => plainAddress(hop.trim()))
  for (const hop of hops.reverse()) {
    if (!hop) return from
    if (!contains(trusted, hop)) return hop
  }
  return from
}

/** An address without the IPv4-in-IPv6 prefix, port, brackets and zone; undefined if it is none. */
function plainAddress(text: string): string | undefined {
  const bare = text
    .replace(/^\[([^\]]*)\](:\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(bare) ? bare.toLowerCase() : undefined
}

function contains(networks: readonly string[], address: string): boolean {
  const version = isIP(address)
  if (!version) return false
  return blockListOf(networks).check(address, version === 4 ? 'ipv4' : 'ipv6')
}

const lists = new WeakMap<readonly string[], BlockList>()

function blockListOf(networks: readonly string[]): BlockList {
  const known = lists.get(networks)
  if (known) return known
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const version = isIP(address)
    if (!version) continue
    const family = version === 4 ? 'ipv4' : 'ipv6'
    const prefix = bits === undefined ? (version === 4 ? 32 : 128) : Number(bits)
    if (Number.isInteger(prefix) && prefix >= 0 && prefix <= (version === 4 ? 32 : 128)) {
      list.addSubnet(address, prefix, family)
    }
  }
  lists.set(networks, list)
  return list
}
