/** The arithmetic of charts, without React: scales, paths, labels. All lengths in px, all times in ms. */

export type Point = number | null | undefined
export type Series = { key: string; label: string; values: readonly Point[] }
export type Frame = { width: number; height: number; from: number; to: number; max: number }

/** The least of 1, 2, 2.5, 5 × 10ⁿ that is not below the greatest value; 1 where there is none. */
export function niceMax(series: readonly Series[]): number {
  let greatest = 0
  for (const { values } of series)
    for (const value of values) if (isReading(value) && value > greatest) greatest = value
  if (greatest <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(greatest))
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= greatest * (1 - 1e-9)) ?? 10
  return step * power
}

/** Horizontal place of a time. */
export function xOf(time: number, frame: Frame): number {
  return frame.to === frame.from ? 0 : ((time - frame.from) / (frame.to - frame.from)) * frame.width
}

/** Vertical place of a value, zero at the bottom. */
export function yOf(value: number, frame: Frame): number {
  return frame.height - (Math.min(Math.max(value, 0), frame.max) / frame.max) * frame.height
}

/** The time at a horizontal place, kept inside the frame. */
export function timeAt(x: number, frame: Frame): number {
  const share = Math.min(Math.max(x / frame.width, 0), 1)
  return frame.from + share * (frame.to - frame.from)
}

/**
 * A series as one SVG path. Missing values, and steps in time longer than `gap`, break the line; a reading alone
 * between two gaps becomes a dot (a line of no length, which a round cap shows).
 */
export function linePath(
  times: readonly number[],
  values: readonly Point[],
  frame: Frame,
  gap = gapOf(times),
): string {
  let path = ''
  let last: number | undefined
  for (let at = 0; at < times.length; at++) {
    const time = times[at] as number
    const value = values[at]
    if (!isReading(value) || time < frame.from || time > frame.to) {
      if (!isReading(value)) last = undefined
      continue
    }
    const place = `${round(xOf(time, frame))} ${round(yOf(value, frame))}`
    if (last === undefined || time - last > gap) {
      const next = values[at + 1]
      const alone = !isReading(next) || (times[at + 1] ?? Number.POSITIVE_INFINITY) - time > gap
      path += `M${place}${alone ? 'h0' : ''}`
    } else path += `L${place}`
    last = time
  }
  return path
}

/** Steps more than two and a half times the usual one are gaps: the median of the steps is the usual one. */
export function gapOf(times: readonly number[]): number {
  if (times.length < 3) return Number.POSITIVE_INFINITY
  const steps: number[] = []
  for (let at = 1; at < times.length; at++) steps.push((times[at] as number) - (times[at - 1] as number))
  steps.sort((a, b) => a - b)
  return (steps[steps.length >> 1] as number) * 2.5
}

/** The index whose time is nearest, by bisection; -1 for none. Times ascend. */
export function nearestIndex(times: readonly number[], time: number): number {
  if (times.length === 0) return -1
  let low = 0
  let high = times.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] as number) < time) low = middle + 1
    else high = middle
  }
  if (low > 0 && time - (times[low - 1] as number) <= (times[low] as number) - time) return low - 1
  return low
}

/** Moves labels apart by at least `gap`, within `low` to `high`, keeping their order. Same length and order as given. */
export function spreadLabels(places: readonly number[], gap: number, low: number, high: number): number[] {
  const order = places.map((_, at) => at).sort((a, b) => (places[a] as number) - (places[b] as number))
  const spread = new Array<number>(places.length)
  let floor = low
  for (const at of order) {
    spread[at] = Math.max(places[at] as number, floor)
    floor = (spread[at] as number) + gap
  }
  let ceiling = high
  for (const at of order.toReversed()) {
    spread[at] = Math.min(spread[at] as number, ceiling)
    ceiling = (spread[at] as number) - gap
  }
  return spread
}

/** Last, least and greatest reading of a series between two times; undefined where there is no reading. */
export function summaryOf(times: readonly number[], values: readonly Point[], from: number, to: number) {
  let last: number | undefined
  let least: number | undefined
  let greatest: number | undefined
  for (let at = 0; at < times.length; at++) {
    const time = times[at] as number
    const value = values[at]
    if (time < from || time > to || !isReading(value)) continue
    last = value
    if (least === undefined || value < least) least = value
    if (greatest === undefined || value > greatest) greatest = value
  }
  return { last, least, greatest }
}

/** What the chart shows, in one sentence: `In use: 7 now, 2 to 12 in this window.` */
export function sentenceOf(
  times: readonly number[],
  series: readonly Series[],
  window: { from: number; to: number },
  format: (value: Point) => string,
): string {
  const parts = series.map(({ label, values }) => {
    const { last, least, greatest } = summaryOf(times, values, window.from, window.to)
    if (last === undefined) return `${label}: no reading`
    if (least === greatest) return `${label}: ${format(last)} throughout`
    return `${label}: last ${format(last)}, between ${format(least)} and ${format(greatest)}`
  })
  return parts.length === 0 ? 'No series.' : `${parts.join('; ')}.`
}

export function isReading(value: Point): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
