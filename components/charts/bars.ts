import { type Frame, niceMax, type Point, type Series, xOf } from './geometry'

/** The arithmetic of stacked bars, without React. Lengths in px, times in ms. */

/** The sum of each bar; a bar without any reading has none. */
export function totalsOf(series: readonly Series[], length: number): Point[] {
  return Array.from({ length }, (_, at) =>
    series.reduce<Point>((sum, { values }) => {
      const value = values[at]
      return value == null ? sum : (sum ?? 0) + value
    }, undefined),
  )
}

/** The greatest value of the scale: the least nice number that no stack exceeds. */
export function stackMax(series: readonly Series[], length: number): number {
  return niceMax([{ key: '', label: '', values: totalsOf(series, length) }])
}

/**
 * One path for each series, the first at the foot. A bar that is not zero is at least one px high: among thousands
 * a single event is still seen.
 */
export function stackPaths(
  times: readonly number[],
  stepMs: number,
  series: readonly Series[],
  frame: Frame,
): string[] {
  const paths = series.map(() => '')
  const gap = xOf(frame.from + stepMs, frame) > 3 ? 1 : 0
  times.forEach((time, at) => {
    const left = Math.max(xOf(time, frame), 0)
    const right = Math.min(xOf(time + stepMs, frame), frame.width)
    const width = round(right - left - gap)
    if (width <= 0) return
    let foot = frame.height
    series.forEach(({ values }, place) => {
      const value = values[at]
      if (!value || value <= 0) return
      const height = Math.max((value / frame.max) * frame.height, 1)
      const top = Math.max(foot - height, 0)
      paths[place] += `M${round(left)} ${round(foot)}h${width}V${round(top)}h${-width}z`
      foot = top
    })
  })
  return paths
}

/** The index of the bar that a time lies in, kept inside; -1 without bars. */
export function barAt(time: number, times: readonly number[], stepMs: number): number {
  const first = times[0]
  if (first === undefined) return -1
  return Math.min(Math.max(Math.floor((time - first) / stepMs), 0), times.length - 1)
}

/** Times for the foot of a chart: at most `most`, on whole steps of the zone's clock. */
export function ticksOf(from: number, to: number, most: number, offsetMs: number): number[] {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? Math.ceil((to - from) / most)
  const ticks: number[] = []
  for (let at = Math.ceil((from + offsetMs) / step) * step - offsetMs; at <= to; at += step) ticks.push(at)
  return ticks
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS = [
  ...[5_000, 10_000, 15_000, 30_000],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 30, 90, 180, 365].map((days) => days * DAY),
]

const round = (value: number) => Math.round(value * 10) / 10
