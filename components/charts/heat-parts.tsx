import { formatNumber } from '@/components/ui/format'
import { type Frame, type Point, xOf } from './geometry'
import { labelledEach, rowTop, shadeWords } from './heat'

/** From the lightest shade to the strongest. */
const OPACITY = [0.28, 0.46, 0.64, 0.82, 1]

/** A frame around the column that is pointed at, and a stronger one around its cell. */
export function Pointed({
  pointed,
  stepMs,
  frame,
  row,
  rows,
}: {
  pointed: number
  stepMs: number
  frame: Frame
  row: number
  rows: number
}) {
  const left = Math.max(xOf(pointed, frame), 0)
  const width = Math.max(Math.min(xOf(pointed + stepMs, frame), frame.width) - left, 1)
  const cell = { x: left, width, y: rowTop(row, rows, frame), height: frame.height / rows }
  return (
    <g fill="none">
      <rect x={left} width={width} height={frame.height} className="stroke-control" />
      {row < 0 ? null : (
        <>
          {/* Paper on both sides of the ink: it is seen on every shade. */}
          <rect {...cell} strokeWidth="5" className="stroke-bg" />
          <rect {...cell} strokeWidth="2" className="stroke-text" />
        </>
      )}
    </g>
  )
}

/** The strongest shade is there at any rate. */
export const opacityOf = (shade: number, shades: number) => OPACITY[OPACITY.length - shades + shade] ?? 1

/** Bounds of the rows, as many as there is room for. */
export function Scale({
  bounds,
  rows,
  format,
  frame,
}: {
  bounds: readonly number[]
  rows: number
  format: (bound: Point) => string
  frame: Frame
}) {
  const each = labelledEach(rows, frame.height, 22)
  return bounds.map((bound, place) => {
    if (place % each !== 0) return null
    const y = frame.height - (frame.height * place) / rows
    return (
      <g key={bound}>
        <path d={`M-4 ${y}h4`} className="stroke-control" />
        <text x="-8" y={y + 4} textAnchor="end" className="fill-muted text-note tabular-nums">
          {format(bound)}
        </text>
      </g>
    )
  })
}

/** Which shade stands for how many, and the figures of what is pointed at. */
export function Legend({
  shades,
  what,
  missing,
  hatch,
  children,
}: {
  shades: readonly number[]
  what: string
  missing: boolean
  hatch: string
  children: string
}) {
  return (
    <div className="mb-1 flex flex-wrap items-center gap-x-3 text-note" aria-hidden="true">
      {shadeWords(shades, (count) => formatNumber(count)).map((words, shade) => (
        <span key={words} className="flex items-center gap-1.5 whitespace-nowrap tabular-nums">
          <svg viewBox="0 0 12 12" className="size-3" aria-hidden="true">
            <rect
              width="12"
              height="12"
              fillOpacity={opacityOf(shade, shades.length)}
              className="fill-series-1"
            />
          </svg>
          {words}
        </span>
      ))}
      <span className="text-muted">{what}</span>
      {missing ? (
        <span className="flex items-center gap-1.5 whitespace-nowrap text-muted">
          <svg viewBox="0 0 12 12" className="size-3" aria-hidden="true">
            <rect width="12" height="12" fill={hatch} className="stroke-border" />
          </svg>
          not measured
        </span>
      ) : null}
      <span className="ml-auto font-medium tabular-nums max-sm:min-h-10 max-sm:basis-full">{children}</span>
    </div>
  )
}
