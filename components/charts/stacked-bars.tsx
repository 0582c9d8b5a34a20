'use client'

import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  useId,
  useMemo,
  useRef,
  useState,
} from 'react'
import { formatNumber, formatTime } from '@/components/ui/format'
import { useZone } from '@/components/ui/zone'
import { barAt, stackMax, stackPaths, ticksOf, totalsOf } from './bars'
import { type ChartData, ChartFrame } from './chart-frame'
import { useCrosshair } from './crosshair'
import { type Frame, type Point, timeAt, xOf } from './geometry'
import { useWidth } from './use-width'

export type StackedBarsProps = ChartData & {
  title: string
  sentence: string
  /** File name of the CSV. */
  name: string
  /** The width of a bar; `times` are the begins of bars. */
  stepMs: number
  /** The span shown. */
  from: number
  to: number
  /** Where the present is, if the span reaches beyond it: what comes is hatched, not zero. */
  now?: number
  /** Called with a window of whole bars (drag, or Enter twice). */
  onBrush?: (window: { from: number; to: number }) => void
  aside?: ReactNode
}

const HEIGHT = 120
const TOP = 14
const FOOT = 20
const HALO = 'fill-muted stroke-bg stroke-3 text-note [paint-order:stroke] [stroke-linejoin:round]'
const format = (value: Point) => formatNumber(value)

/**
 * Counts over time as bars on one another, by own SVG. Series differ by hatching as well as by colour. Arrow keys
 * move from bar to bar; Enter marks the ends of a window, and so does a drag.
 */
export function StackedBars({ title, sentence, name, aside, ...plot }: StackedBarsProps) {
  return (
    <ChartFrame {...{ title, sentence, name, aside, format }} times={plot.times} series={plot.series}>
      <Plot title={title} {...plot} />
    </ChartFrame>
  )
}

type PlotProps = Omit<StackedBarsProps, 'sentence' | 'name' | 'aside'>

function Plot({ title, times, series, stepMs, from, to, now, onBrush }: PlotProps) {
  const id = useId()
  const zone = useZone()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const [cross, setCross] = useCrosshair()
  const [start, setStart] = useState<number | null>(null)
  const frame: Frame = useMemo(
    () => ({ width: width ?? 640, height: HEIGHT, from, to, max: stackMax(series, times.length) }),
    [width, from, to, series, times.length],
  )
  const paths = useMemo(() => stackPaths(times, stepMs, series, frame), [times, stepMs, series, frame])
  const totals = useMemo(() => totalsOf(series, times.length), [series, times.length])
  const inside = cross !== null && cross >= from && cross < to
  const at = inside ? barAt(cross, times, stepMs) : times.length - 1
  const bar = times[at]
  const pointed = inside && bar !== undefined
  const windowTo = (end: number) => {
    const [left, right] = [barAt(start ?? end, times, stepMs), barAt(end, times, stepMs)].sort(
      (a, b) => a - b,
    )
    const first = times[left as number]
    const last = times[right as number]
    return first === undefined || last === undefined
      ? null
      : { from: Math.max(first, from), to: Math.min(last + stepMs, to) }
  }
  const marked = start === null || !pointed ? null : windowTo(bar)
  const finish = (end: number, byKey: boolean) => {
    const window = start === null ? null : windowTo(end)
    setStart(null)
    // A click is no window; Enter twice on one bar is.
    if (!window || !onBrush || start === null) return
    if (byKey || Math.abs(xOf(end, frame) - xOf(start, frame)) > 4) onBrush(window)
  }
  const timeUnder = (event: PointerEvent<HTMLElement>) =>
    Math.min(timeAt(event.clientX - event.currentTarget.getBoundingClientRect().left, frame), to - 1)
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      if (!inside && start === null) return
      setCross(null)
      setStart(null)
    } else if (event.key === 'Enter' && onBrush && bar !== undefined) {
      if (start === null) setStart(bar)
      else finish(bar, true)
    } else {
      const step = event.shiftKey ? 10 : 1
      const next = { ArrowLeft: at - step, ArrowRight: at + step, Home: 0, End: times.length - 1 }[event.key]
      if (next === undefined) return
      const place = times[Math.min(Math.max(inside ? next : at, 0), times.length - 1)]
      if (place !== undefined) setCross(Math.max(place, from))
    }
    event.preventDefault()
  }
  const said =
    bar === undefined
      ? 'Nothing was counted'
      : `${formatTime(bar, zone)} to ${formatTime(bar + stepMs, zone, { only: 'time' })}: ${series
          .map(({ label, values }) => `${label} ${format(values[at])}`)
          .join(', ')}`
  return (
    <>
      <Legend
        id={id}
        series={series}
        reading={pointed ? at : null}
        total={pointed ? totals[at] : undefined}
        when={
          pointed
            ? `${formatTime(bar, zone, { seconds: stepMs < 60_000 })} – ${formatTime(bar + stepMs, zone, { only: 'time', seconds: stepMs < 60_000 })}`
            : null
        }
      />
      <div ref={box} className="relative">
        <svg
          viewBox={`0 0 ${width ?? 640} ${HEIGHT + TOP + FOOT}`}
          preserveAspectRatio="none"
          className="block h-[154px] w-full"
          aria-hidden="true"
        >
          <Patterns id={id} series={series} />
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
            {now !== undefined && now < to ? (
              <rect
                x={xOf(Math.max(now, from), frame)}
                width={frame.width - xOf(Math.max(now, from), frame)}
                height={HEIGHT}
                fill={`url(#${id}-later)`}
              />
            ) : null}
            {pointed ? (
              <rect
                x={Math.max(xOf(bar, frame), 0)}
                width={Math.max(xOf(bar + stepMs, frame) - Math.max(xOf(bar, frame), 0), 1)}
                height={HEIGHT}
                className="fill-text/10"
              />
            ) : null}
            {marked ? (
              <rect
                x={xOf(marked.from, frame)}
                width={xOf(marked.to, frame) - xOf(marked.from, frame)}
                height={HEIGHT}
                className="fill-accent/20"
              />
            ) : null}
            {series.map(({ key }, place) => (
              <path key={key} d={paths[place]} fill={`url(#${id}-${place})`} />
            ))}
            {width === null ? null : <Words {...{ frame, zone, stepMs }} />}
          </g>
        </svg>
        <div
          role="slider"
          tabIndex={0}
          aria-label={`Bar, ${title}`}
          aria-valuemin={0}
          aria-valuemax={Math.max(times.length - 1, 0)}
          aria-valuenow={Math.max(at, 0)}
          aria-valuetext={start === null ? said : `Window from ${formatTime(start, zone)}. ${said}`}
          aria-describedby={onBrush ? `${id}-keys` : undefined}
          data-bars=""
          className="absolute inset-0 touch-pan-y"
          onKeyDown={onKeyDown}
          onBlur={() => {
            setCross(null)
            setStart(null)
          }}
          onPointerMove={(event) => setCross(timeUnder(event))}
          onPointerDown={(event) => {
            if (!onBrush || event.button !== 0) return
            event.currentTarget.setPointerCapture(event.pointerId)
            setStart(timeUnder(event))
          }}
          onPointerUp={(event) => finish(timeUnder(event), false)}
          onPointerCancel={() => setStart(null)}
          onPointerLeave={() => setCross(null)}
        />
        {onBrush ? (
          <p id={`${id}-keys`} className="sr-only">
            Arrow keys move from bar to bar, Enter marks the ends of a window.
          </p>
        ) : null}
      </div>
    </>
  )
}

/** Plain, slanted, dotted, crossed: each series is told apart in grey as well. */
function Patterns({ id, series }: { id: string; series: ChartData['series'] }) {
  return (
    <defs>
      {series.map(({ key }, place) => (
        <pattern key={key} id={`${id}-${place}`} width="6" height="6" patternUnits="userSpaceOnUse">
          <Fill place={place} />
        </pattern>
      ))}
      <pattern id={`${id}-later`} width="6" height="6" patternUnits="userSpaceOnUse">
        <path d="M-1 7 7-1M5 7l2-2M-1 1l2-2" className="stroke-border" strokeWidth="1" />
      </pattern>
    </defs>
  )
}

const FILLS = ['fill-series-1', 'fill-series-2', 'fill-series-3', 'fill-series-4'] as const

function Fill({ place }: { place: number }) {
  // Paper shows through the marks, so that they are seen on any ink.
  const marks = [null, 'M-1 7 7-1M2 10 10 2M-4 4 4-4', 'M0 1.5h6M0 4.5h6', 'M0 0l6 6M0 6l6-6'][place]
  return (
    <>
      <rect width="6" height="6" className={FILLS[place]} />
      {marks ? <path d={marks} className="stroke-bg" strokeWidth="1.25" fill="none" /> : null}
    </>
  )
}

function Legend({
  id,
  series,
  reading,
  total,
  when,
}: {
  id: string
  series: ChartData['series']
  reading: number | null
  total: Point
  when: string | null
}) {
  return (
    <div className="mb-1 flex min-h-5 flex-wrap items-center gap-x-4 text-note" aria-hidden="true">
      {series.map(({ key, label, values }, place) => (
        <span key={key} className="flex items-center gap-1.5 whitespace-nowrap">
          <svg viewBox="0 0 12 12" className="size-3" aria-hidden="true">
            <rect width="12" height="12" fill={`url(#${id}-${place})`} className="stroke-border" />
          </svg>
          {label}
          {reading === null ? null : (
            <span className="font-medium tabular-nums">{format(values[reading])}</span>
          )}
        </span>
      ))}
      {when ? (
        <span className="ml-auto whitespace-nowrap text-muted tabular-nums max-sm:hidden">
          {when}: {format(total)}
        </span>
      ) : null}
    </div>
  )
}

const DAY_MS = 86_400_000

/** The scale at the left and times at the foot. */
function Words({ frame, zone, stepMs }: { frame: Frame; zone: string; stepMs: number }) {
  const span = frame.to - frame.from
  const ticks = ticksOf(frame.from, frame.to, Math.max(frame.width / 110, 1), offsetOf(zone, frame.from))
  const wordOf = (time: number) =>
    span > 4 * DAY_MS
      ? formatTime(time, zone, { only: 'date' }).slice(5)
      : formatTime(time, zone, { only: 'time', seconds: stepMs < 60_000 && span < 600_000 })
  return (
    <>
      <text x="0" y="-3" className={HALO}>
        {format(frame.max)}
      </text>
      {Number.isInteger(frame.max / 2) ? (
        <text x="0" y={frame.height / 2 - 3} className={HALO}>
          {format(frame.max / 2)}
        </text>
      ) : null}
      {ticks.map((time) => {
        const x = xOf(time, frame)
        const anchor = x < 24 ? 'start' : x > frame.width - 24 ? 'end' : 'middle'
        return (
          <g key={time}>
            <path d={`M${x} ${frame.height}v4`} className="stroke-control" />
            <text
              x={Math.min(Math.max(x, 0), frame.width)}
              y={frame.height + 16}
              textAnchor={anchor}
              className="fill-muted text-note tabular-nums"
            >
              {wordOf(time)}
            </text>
          </g>
        )
      })}
    </>
  )
}

/** How far the zone's clock is ahead of UTC at a time, in ms. */
function offsetOf(zone: string, at: number): number {
  const second = Math.floor(at / 1000) * 1000
  return Date.parse(`${formatTime(second, zone).replace(' ', 'T')}Z`) - second
}
