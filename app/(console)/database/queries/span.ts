const HOUR_MS = 3_600_000

/** Fewer hours than these make no line. */
const LEAST_HOURS = 24

/** The asked time in whole hours, as statements are kept, and a day of them at least. UTC ms. */
export function spanOf({ from, to }: { from: number; to: number }): { from: number; to: number } {
  const end = Math.ceil(to / HOUR_MS) * HOUR_MS
  const begin = Math.floor(from / HOUR_MS) * HOUR_MS
  return { from: Math.max(Math.min(begin, end - LEAST_HOURS * HOUR_MS), 0), to: Math.max(end, HOUR_MS) }
}
