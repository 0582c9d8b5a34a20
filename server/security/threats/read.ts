import { networkOf } from '../sign-in/attempts'
import type { ThreatRow } from './types'

/** What an event says in `after` or `before`; nothing where that is no object. */
export function said(json: string | null): Record<string, unknown> {
  if (json === null) return {}
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** The account that an event of a sign-in is about: the user where there is one, else the name that was typed. */
export const accountOf = ({ source, target, actor }: ThreatRow): string =>
  source === null && target ? `user:${target}` : `account:${actor.toLowerCase()}`

/** The user of the console that an event is about; nobody where another application reports it. */
export const userOf = ({ source, target, actorId }: ThreatRow): string | null =>
  source === null ? (actorId ?? target) : null

/** An IPv4 address, or the /64 of an IPv6 one, which one client has all of. */
export const sourceOf = (address: string): string => (address.includes(':') ? networkOf(address) : address)

/** The /24 of an IPv4 address, the /48 of an IPv6 one: what one owner commonly has. */
export function siteOf(address: string): string {
  if (!address.includes(':')) return `${address.slice(0, address.lastIndexOf('.'))}.0/24`
  return `${networkOf(address).split(':').slice(0, 3).join(':')}::/48`
}

export const minutes = (count: number): number => count * 60_000
export const hours = (count: number): number => count * 3_600_000

/** `1 failed sign-in`, `12 failed sign-ins`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`
