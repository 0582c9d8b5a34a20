import { type Frame, xOf } from './geometry'

/** The arithmetic of heat maps, without React. Lengths in px, times in ms. */

/** Counts of each step by row, the lowest row first; null where nothing was measured. */
export type Cells = readonly (readonly number[] | null)[]

const SHADES = 5

/** The greatest count of each shade, the lightest first: equal parts of the logarithm up to the greatest count. */
export function shadesOf(cells: Cells): number[] {
  let greatest = 0
  for (const column of cells) for (const count of column ?? []) greatest = Math.max(greatest, count)
  const ends = Array.from({ length: SHADES }, (_, i) => Math.ceil(greatest ** ((i + 1) / SHADES) - 1e-9))
  return greatest === 0 ? [] : [...new Set(ends)]
}

/** `1`, `2–5`, `6–40`: the counts that each shade stands for. */
export function shadeWords(shades: readonly number[], format: (count: number) => string): string[] {
  return shades.map((end, i) => {
    const first = (shades[i - 1] ?? 0) + 1
    return first === end ? format(end) : `${format(first)}–${format(end)}`
  })
}

/** One path for each shade, and one for the columns without a measurement. */
export function heatPaths(
  times: readonly number[],
  stepMs: number,
  cells: Cells,
  rows: number,
  shades: readonly number[],
  frame: Frame,
): { shaded: string[]; missing: string } {
  const shaded = shades.map(() => '')
  let missing = ''
  times.forEach((time, at) => {
    const left = Math.max(xOf(time, frame), 0)
    const width = round(Math.min(xOf(time + stepMs, frame), frame.width) - left)
    if (width <= 0) return
    const box = (top: number, height: number) =>
      `M${round(left)} ${round(top)}h${width}v${round(height)}h${-width}z`
    const column = cells[at]
    if (!column) missing += box(0, frame.height)
    column?.forEach((count, row) => {
      if (count > 0) shaded[shadeOf(count, shades)] += box(rowTop(row, rows, frame), frame.height / rows)
    })
  })
  return { shaded, missing }
}

/** Where a row begins, from above; the first row is the lowest. */
export function rowTop(row: number, rows: number, { height }: Frame): number {
  return (height * (rows - 1 - row)) / rows
}

/** The row at a vertical place, kept inside. */
export function rowAt(y: number, rows: number, { height }: Frame): number {
  return Math.min(Math.max(rows - 1 - Math.floor((y / height) * rows), 0), rows - 1)
}

/** The row with the most in it, the lowest of several; -1 where there is none. */
export function fullest(column: readonly number[] | null | undefined): number {
  const greatest = Math.max(0, ...(column ?? []))
  return greatest === 0 ? -1 : (column ?? []).indexOf(greatest)
}

/** Every how many bounds one is written, so that figures stand at least `apart` px from each other. */
export function labelledEach(rows: number, height: number, apart: number): number {
  return Math.max(1, Math.ceil((apart * rows) / height))
}

const shadeOf = (count: number, shades: readonly number[]) =>
  Math.max(
    shades.findIndex((end) => count <= end),
    0,
  )

const round = (value: number) => Math.round(value * 10) / 10
