/** Where the time comes from. Tests bring their own. */
export interface Clock {
  /** UTC milliseconds since 1970. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
