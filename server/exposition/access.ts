import { createHash, timingSafeEqual } from 'node:crypto'
import { BlockList } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/**
 * Whether a request may read the metrics: by the token where one is set, else only from this machine itself. What
 * came through a proxy is from elsewhere, however near the proxy stands.
 */
export function mayScrape(headers: Headers, token: string | undefined): boolean {
  if (token) {
    const given = /^Bearer (.+)$/i.exec(headers.get('authorization') ?? '')?.[1] ?? ''
    return timingSafeEqual(digest(given), digest(token))
  }
  const peer = headers.get('x-holdfast-peer') ?? ''
  // Next itself writes the peer there where no proxy has written anything.
  const hops = headers.get('x-forwarded-for')?.replace(/^::ffff:/i, '') ?? peer
  const forwarded = hops !== peer || ['forwarded', 'via', 'x-real-ip'].some((name) => headers.has(name))
  return !forwarded && loopback.check(peer, peer.includes(':') ? 'ipv6' : 'ipv4')
}

const digest = (text: string) => createHash('sha256').update(text).digest()
