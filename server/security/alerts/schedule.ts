const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Pauses after each try that failed; after the last one a delivery is given up. About five and a half hours in all. */
export const pauses = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 4 * HOUR] as const

/** A receiver that asks for more is not believed. */
const LONGEST = 6 * HOUR

/**
 * Milliseconds until the next try, a quarter longer or shorter by chance, so that receivers which come back are not
 * met by everything at once; null when this was the last one.
 * @param attempts tries so far, this one among them
 * @param retryAfterMs what the receiver asks for
 */
export function pauseAfter(attempts: number, retryAfterMs = 0, chance = Math.random()): number | null {
  const pause = pauses[attempts - 1]
  if (pause === undefined) return null
  return Math.round(Math.max(pause * (0.75 + chance / 2), Math.min(retryAfterMs, LONGEST)))
}

/** Milliseconds that a Retry-After header asks for: seconds, or a date (RFC 9110, 10.2.3). */
export function retryAfter(value: string | undefined, now: number): number {
  if (!value) return 0
  if (/^\d{1,9}$/.test(value)) return Number(value) * SECOND
  const date = Date.parse(value)
  return Number.isNaN(date) ? 0 : Math.max(0, date - now)
}
