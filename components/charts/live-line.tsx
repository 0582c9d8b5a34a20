'use client'

import { type KeyboardEvent, type PointerEvent, useId, useMemo, useRef, useState } from 'react'
import { formatTime } from '@/components/ui/format'
import { useZone } from '@/components/ui/zone'
import { type ChartData, ChartFrame } from './chart-frame'
import { useCrosshair } from './crosshair'
import { type Frame, linePath, nearestIndex, niceMax, type Point, sentenceOf, timeAt, xOf } from './geometry'
import { Words } from './live-words'
import { lookOf } from './series-look'
import { useWidth } from './use-width'

export type ChartMark = { at: number; label: string }

export type LiveLineProps = ChartData & {
  title: string
  sentence?: string
  /** File name of the CSV, e.g. the metric's name. */
  name: string
  format: (value: Point) => string
  /** The span shown; by default from the first sample to the last. */
  from?: number
  to?: number
  /** Greatest value of the scale; by default found from the data. */
  max?: number
  /** Events drawn as ticks at the foot. */
  marks?: readonly ChartMark[]
  /** Called with the brushed window (drag, or Enter twice). */
  onBrush?: (window: { from: number; to: number }) => void
}

const HEIGHT = 120
const TOP = 12
const FOOT = 20
/** Where a reading begins beside the plot, and what one of its letters takes at most. */
const READING_AT = 24
const LETTER = 6.75

/**
 * A chart for values that come every second: own SVG, drawn by attributes alone. Hovering freezes this chart and
 * no other. Arrow keys move the crosshair; Enter marks the ends of a window.
 */
export function LiveLine(props: LiveLineProps) {
  const { title, name, format } = props
  const [frozen, setFrozen] = useState<LiveLineProps | null>(null)
  const shown = frozen ?? props
  const from = shown.from ?? shown.times[0] ?? 0
  const to = shown.to ?? shown.times.at(-1) ?? 1
  const sentence = shown.sentence ?? sentenceOf(shown.times, shown.series, { from, to }, format)
  return (
    <ChartFrame
      title={title}
      sentence={sentence}
      name={name}
      format={format}
      times={shown.times}
      series={shown.series}
    >
      <Plot {...shown} from={from} to={to} onFreeze={(freeze) => setFrozen(freeze ? props : null)} />
    </ChartFrame>
  )
}

type PlotProps = LiveLineProps & { from: number; to: number; onFreeze: (freeze: boolean) => void }

function Plot({ title, times, series, format, from, to, max, marks = [], onBrush, onFreeze }: PlotProps) {
  const id = useId()
  const zone = useZone()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const [cross, setCross] = useCrosshair()
  const [brushFrom, setBrushFrom] = useState<number | null>(null)

  const top = useMemo(() => max ?? niceMax(series), [max, series])
  const labels =
    width === null ? 0 : Math.max(width < 420 ? 92 : 124, READING_AT + format(top).length * LETTER)
  const frame: Frame = useMemo(
    () => ({ width: (width ?? 640) - labels, height: HEIGHT, from, to, max: top }),
    [width, labels, from, to, top],
  )
  const paths = useMemo(
    () => series.map(({ key, values }) => ({ key, d: linePath(times, values, frame) })),
    [series, times, frame],
  )
  const inside = cross !== null && cross >= from && cross <= to
  const at = nearestIndex(times, inside ? cross : to)
  const crossTime = at < 0 ? undefined : times[at]
  const crossX = crossTime === undefined ? 0 : xOf(crossTime, frame)

  const timeUnder = (event: PointerEvent<HTMLElement>) =>
    timeAt(event.clientX - event.currentTarget.getBoundingClientRect().left, frame)
  const finish = (end: number) => {
    if (brushFrom !== null && onBrush) {
      const window = { from: Math.min(brushFrom, end), to: Math.max(brushFrom, end) }
      if (xOf(window.to, frame) - xOf(window.from, frame) > 4) {
        onFreeze(false)
        onBrush(window)
      }
    }
    setBrushFrom(null)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      setCross(null)
      setBrushFrom(null)
    } else if (event.key === 'Enter' && onBrush && crossTime !== undefined) {
      if (brushFrom === null) setBrushFrom(crossTime)
      else finish(crossTime)
    } else {
      const step = event.shiftKey ? 10 : 1
      const next = { ArrowLeft: at - step, ArrowRight: at + step, Home: 0, End: times.length - 1 }[event.key]
      if (next === undefined) return
      setCross(times[Math.min(Math.max(next, 0), times.length - 1)] ?? null)
    }
    event.preventDefault()
  }

  const said =
    crossTime === undefined
      ? 'No reading'
      : `${formatTime(crossTime, zone, { only: 'time' })}: ${readings(series, at, format)}`
  const brushX = brushFrom === null ? null : xOf(brushFrom, frame)
  const brushTo = inside ? crossX : frame.width
  return (
    <div ref={box} className="relative">
      <svg
        viewBox={`0 0 ${width ?? 640} ${HEIGHT + TOP + FOOT}`}
        preserveAspectRatio="none"
        className="block h-[152px] w-full"
        aria-hidden="true"
      >
        <g transform={`translate(0 ${TOP})`}>
          {[0, 0.5, 1].map((share) => (
            <line
              key={share}
              x1="0"
              x2={frame.width}
              y1={Math.round(HEIGHT * (1 - share)) + 0.5}
              y2={Math.round(HEIGHT * (1 - share)) + 0.5}
              className="stroke-border"
              vectorEffect="non-scaling-stroke"
            />
          ))}
          {brushX === null ? null : (
            <rect
              x={Math.min(brushX, brushTo)}
              width={Math.abs(brushTo - brushX)}
              y="0"
              height={HEIGHT}
              className="fill-accent/15"
            />
          )}
          {paths.map(({ key, d }, place) => (
            <path
              key={key}
              d={d}
              fill="none"
              strokeWidth="1.5"
              strokeLinejoin="round"
              strokeLinecap="round"
              strokeDasharray={lookOf(place).dash}
              vectorEffect="non-scaling-stroke"
              className={lookOf(place).stroke}
            />
          ))}
          {marks
            .filter((mark) => mark.at >= from && mark.at <= to)
            .map((mark) => (
              <path
                key={`${mark.at}-${mark.label}`}
                d={`M${xOf(mark.at, frame)} ${HEIGHT}v-10`}
                className="stroke-text"
                strokeWidth="1.5"
                vectorEffect="non-scaling-stroke"
              />
            ))}
          {inside ? (
            <line
              x1={crossX}
              x2={crossX}
              y1="0"
              y2={HEIGHT}
              className="stroke-text"
              vectorEffect="non-scaling-stroke"
            />
          ) : null}
          {width === null ? null : (
            <Words {...{ series, at, frame, format, labels, zone, from, to, crossX, inside, crossTime }} />
          )}
        </g>
      </svg>
      <div
        role="slider"
        tabIndex={0}
        aria-label={`Crosshair, ${title}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(times.length - 1, 0)}
        aria-valuenow={Math.max(at, 0)}
        aria-valuetext={
          brushFrom === null ? said : `Window from ${formatTime(brushFrom, zone, { only: 'time' })}. ${said}`
        }
        aria-describedby={onBrush ? id : undefined}
        className="absolute inset-y-0 left-0 touch-pan-y"
        ref={(element) => {
          element?.style.setProperty('width', `${frame.width}px`)
        }}
        onKeyDown={onKeyDown}
        onFocus={() => onFreeze(true)}
        onBlur={() => {
          onFreeze(false)
          setCross(null)
          setBrushFrom(null)
        }}
        onPointerEnter={() => onFreeze(true)}
        onPointerMove={(event) => setCross(timeUnder(event))}
        onPointerDown={(event) => {
          if (!onBrush || event.button !== 0) return
          event.currentTarget.setPointerCapture(event.pointerId)
          setBrushFrom(timeUnder(event))
        }}
        onPointerUp={(event) => finish(timeUnder(event))}
        onPointerLeave={() => {
          onFreeze(false)
          setCross(null)
        }}
      />
      {onBrush ? (
        <p id={id} className="sr-only">
          Arrow keys move the crosshair, Enter marks the ends of a window.
        </p>
      ) : null}
      {marks.length > 0 ? (
        <ul className="sr-only">
          {marks.map((mark) => (
            <li key={`${mark.at}-${mark.label}`}>
              {formatTime(mark.at, zone)}: {mark.label}
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  )
}

function readings(series: ChartData['series'], at: number, format: (value: Point) => string): string {
  return series.map(({ label, values }) => `${label} ${format(values[at])}`).join(', ')
}
