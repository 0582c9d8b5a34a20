'use client'

import { type KeyboardEvent, type PointerEvent, useId, useMemo, useRef, useState } from 'react'
import { formatNumber, formatTime } from '@/components/ui/format'
import { useZone } from '@/components/ui/zone'
import { ChartFrame } from './chart-frame'
import { type Frame, type Point, xOf } from './geometry'
import { type Cells, fullest, heatPaths, rowAt, shadesOf } from './heat'
import { Legend, opacityOf, Pointed, Scale } from './heat-parts'
import { TimeTicks } from './time-ticks'
import { useSteps } from './use-steps'
import { useWidth } from './use-width'

export type HeatMapProps = {
  title: string
  sentence: string
  /** File name of the CSV. */
  name: string
  /** What is counted, in the plural. */
  what: string
  /** Begins of the steps, ascending. */
  times: readonly number[]
  stepMs: number
  cells: Cells
  /** Where rows begin and end, from the foot upwards: one more than there are rows. */
  bounds: readonly number[]
  /** A bound in words. */
  format: (bound: Point) => string
  /** The span shown. */
  from: number
  to: number
  onBrush?: (window: { from: number; to: number }) => void
  /** Told when a reader is on the chart, which then has to stand still. */
  onHold?: (hold: boolean) => void
}

const HEIGHT = 144
const TOP = 8
const FOOT = 20
/** Room for the scale at the left. */
const SCALE = 64

const DAY_MS = 86_400_000

const count = (value: Point) => formatNumber(value)

/**
 * How often something took how long, over time: the stronger a cell's shade, the more lie in it, and what is
 * pointed at is told in figures. Arrow keys move from cell to cell; Enter marks the ends of a window, and so does a drag.
 */
export function HeatMap({ title, sentence, name, ...plot }: HeatMapProps) {
  const { times, cells, bounds, format } = plot
  const series = useMemo(
    () =>
      bounds.slice(1).map((_, row) => ({
        key: String(row),
        label: rowWords(bounds, row, format),
        values: cells.map((column) => column?.[row]),
      })),
    [bounds, cells, format],
  )
  return (
    <ChartFrame {...{ title, sentence, name, times, series }} format={count}>
      <Plot title={title} {...plot} />
    </ChartFrame>
  )
}

const rowWords = (bounds: readonly number[], row: number, format: (bound: Point) => string) =>
  `${format(bounds[row])} to ${format(bounds[row + 1])}`

type PlotProps = Omit<HeatMapProps, 'sentence' | 'name'>

function Plot(props: PlotProps) {
  const { title, what, times, stepMs, cells, bounds, format, from, to, onBrush, onHold } = props
  const id = useId()
  const zone = useZone()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  /** The row that is pointed at; without one the fullest of its column is told. */
  const [chosen, setChosen] = useState<number | null>(null)
  const rows = bounds.length - 1
  const frame: Frame = useMemo(
    () => ({ width: (width ?? 640) - SCALE, height: HEIGHT, from, to, max: 1 }),
    [width, from, to],
  )
  const shades = useMemo(() => shadesOf(cells), [cells])
  const { shaded, missing } = useMemo(
    () => heatPaths(times, stepMs, cells, rows, shades, frame),
    [times, stepMs, cells, rows, shades, frame],
  )
  const { at, begin, pointed, start, marked, point, handlers } = useSteps({ times, stepMs, frame, onBrush })
  const column = cells[at]
  const row = Math.min(chosen ?? fullest(column), rows - 1)
  const total = column?.reduce((sum, each) => sum + each, 0)
  const seconds = stepMs < 60_000
  const day = to - from > DAY_MS ? {} : { only: 'time' as const }
  const when =
    begin === undefined
      ? ''
      : `${formatTime(begin, zone, { ...day, seconds })} to ${formatTime(begin + stepMs, zone, { only: 'time', seconds })}`
  const reading = !column
    ? 'not measured'
    : row < 0
      ? `no ${what}`
      : `${rowWords(bounds, row, format)}: ${count(column[row])} of ${count(total)} ${what}`
  const said = `${when}: ${reading}`
  function onKeyDown(event: KeyboardEvent) {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key]
    if (step === undefined) return handlers.onKeyDown(event)
    event.preventDefault()
    if (pointed !== undefined) setChosen(Math.min(Math.max(row + step, 0), rows - 1))
    else point()
  }
  const leave = () => {
    setChosen(null)
    onHold?.(false)
  }
  return (
    <>
      <Legend shades={shades} what={what} missing={missing !== ''} hatch={`url(#${id}-missing)`}>
        {said}
      </Legend>
      <div ref={box} className="relative">
        <svg
          viewBox={`0 0 ${width ?? 640} ${HEIGHT + TOP + FOOT}`}
          preserveAspectRatio="none"
          className="block h-[172px] w-full"
          aria-hidden="true"
        >
          <defs>
            <pattern id={`${id}-missing`} width="6" height="6" patternUnits="userSpaceOnUse">
              <path d="M-1 7 7-1M5 7l2-2M-1 1l2-2" className="stroke-border" strokeWidth="1" />
            </pattern>
          </defs>
          <g transform={`translate(${SCALE} ${TOP})`}>
            <path d={`M0 ${HEIGHT + 0.5}h${frame.width}`} className="stroke-border" />
            {width === null ? null : <Scale {...{ bounds, rows, format, frame }} />}
            <path d={missing} fill={`url(#${id}-missing)`} />
            {shaded.map((d, shade) => (
              <path
                key={shades[shade]}
                d={d}
                fillOpacity={opacityOf(shade, shades.length)}
                className="fill-series-1"
                shapeRendering="crispEdges"
              />
            ))}
            {marked ? (
              <rect
                x={xOf(marked.from, frame)}
                width={xOf(marked.to, frame) - xOf(marked.from, frame)}
                height={HEIGHT}
                className="fill-accent/20"
              />
            ) : null}
            {pointed === undefined ? null : (
              <Pointed {...{ pointed, stepMs, frame, row: column ? row : -1, rows }} />
            )}
            {width === null ? null : <TimeTicks {...{ frame, zone, stepMs }} />}
          </g>
        </svg>
        <div
          role="slider"
          tabIndex={0}
          aria-label={`Cell, ${title}`}
          aria-valuemin={0}
          aria-valuemax={Math.max(times.length - 1, 0)}
          aria-valuenow={Math.max(at, 0)}
          aria-valuetext={start === null ? said : `Window from ${formatTime(start, zone)}. ${said}`}
          aria-describedby={`${id}-keys`}
          data-heat=""
          className="absolute top-2 right-0 left-16 h-36 touch-pan-y"
          {...handlers}
          onKeyDown={onKeyDown}
          onFocus={() => onHold?.(true)}
          onBlur={() => {
            leave()
            handlers.onBlur()
          }}
          onPointerEnter={() => onHold?.(true)}
          onPointerMove={(event) => {
            setChosen(rowUnder(event, rows, frame))
            handlers.onPointerMove(event)
          }}
          onPointerLeave={() => {
            leave()
            handlers.onPointerLeave()
          }}
        />
        <p id={`${id}-keys`} className="sr-only">
          Arrow keys move from cell to cell{onBrush ? ', Enter marks the ends of a window' : ''}.
        </p>
      </div>
    </>
  )
}

function rowUnder(event: PointerEvent<HTMLElement>, rows: number, frame: Frame): number {
  return rowAt(event.clientY - event.currentTarget.getBoundingClientRect().top, rows, frame)
}
