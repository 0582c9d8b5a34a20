import type { Rate } from './types'

const units: [ms: number, name: string][] = [
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
]

/** A limit as configuration writes it: 30/1m, or off. */
export function rateText(rate: Rate | null): string {
  return rate ? `${rate.most}/${spanText(rate.windowMs)}` : 'off'
}

/** 15m, 1h, 90s. */
export function spanText(ms: number): string {
  const [unit, name] = units.find(([unit]) => ms % unit === 0) ?? [1_000, 's']
  return `${Math.ceil(ms / unit)}${name}`
}
