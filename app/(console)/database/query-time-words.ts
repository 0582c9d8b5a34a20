import { formatCount, formatDuration, type Reading } from '@/components/ui/format'

const MINUTE_MS = 60_000
/** Of a quarter of an hour ten seconds are a narrow column; of five minutes or one they would be a wide one. */
const SHORT_STEPS = 90
const LEAST_MS = 2_000

/**
 * The span to ask for. One that follows the present begins and ends with whole steps, so that it is asked for once
 * in each; it reaches back to the first sample where samples are shown, as the charts beside do.
 */
export function spanOf({
  window,
  rangeMs,
  first,
  newest,
  keptMs,
}: {
  window: { from: number; to: number } | null
  rangeMs: number
  /** The times of the first sample and the newest. */
  first: number
  newest: number
  /** How far back there are samples. */
  keptMs: number
}): { from: number; to: number; everyMs: number } {
  const short = window ? window.from >= newest - keptMs : rangeMs <= keptMs
  const everyMs = short ? Math.max(LEAST_MS, Math.ceil(rangeMs / SHORT_STEPS / 1_000) * 1_000) : MINUTE_MS
  if (window) return { ...window, everyMs }
  const to = Math.ceil(newest / everyMs) * everyMs
  const from = to - rangeMs
  return { from: short ? Math.max(from, Math.floor(first / everyMs) * everyMs) : from, to, everyMs }
}

/** A bound in milliseconds, two figures below a tenth: `0.064 ms`, `0.51 ms`, `131 ms`, `2.1 s`. */
export function boundWords(bound: Reading): string {
  return typeof bound === 'number' && bound > 0 && bound < 0.1
    ? `${Number(bound.toPrecision(2))} ms`
    : formatDuration(bound)
}

/** What is seen, in words. */
export function sentenceOf({
  statements,
  p50,
  p99,
  bounds,
}: {
  statements: number
  p50: number | null
  p99: number | null
  bounds: readonly number[]
}): string {
  const half = `Half of ${formatCount(statements, 'statement')} took up to ${boundWords(p50)}`
  // One in a hundred needs a hundred.
  return statements < 100
    ? `${half}, none more than ${boundWords(bounds.at(-1))}.`
    : `${half}; the slowest 1 % over ${boundWords(p99)}.`
}
