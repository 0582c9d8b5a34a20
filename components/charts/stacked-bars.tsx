'use client'

import { type ReactNode, useId, useMemo, useRef } from 'react'
import { formatNumber, formatTime } from '@/components/ui/format'
import { useZone } from '@/components/ui/zone'
import { stackMax, stackPaths, totalsOf } from './bars'
import { type ChartData, ChartFrame } from './chart-frame'
import { type Frame, type Point, xOf } from './geometry'
import { TimeTicks } from './time-ticks'
import { useSteps } from './use-steps'
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
  const frame: Frame = useMemo(
    () => ({ width: width ?? 640, height: HEIGHT, from, to, max: stackMax(series, times.length) }),
    [width, from, to, series, times.length],
  )
  const paths = useMemo(() => stackPaths(times, stepMs, series, frame), [times, stepMs, series, frame])
  const totals = useMemo(() => totalsOf(series, times.length), [series, times.length])
  const { at, begin: bar, pointed, start, marked, handlers } = useSteps({ times, stepMs, frame, onBrush })
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
        reading={pointed === undefined ? null : at}
        total={pointed === undefined ? undefined : totals[at]}
        when={
          pointed === undefined
            ? null
            : `${formatTime(pointed, zone, { seconds: stepMs < 60_000 })} – ${formatTime(pointed + stepMs, zone, { only: 'time', seconds: stepMs < 60_000 })}`
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
            {pointed === undefined ? null : (
              <rect
                x={Math.max(xOf(pointed, frame), 0)}
                width={Math.max(xOf(pointed + stepMs, frame) - Math.max(xOf(pointed, frame), 0), 1)}
                height={HEIGHT}
                className="fill-text/10"
              />
            )}
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
          {...handlers}
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

/** The scale at the left and times at the foot. */
function Words({ frame, zone, stepMs }: { frame: Frame; zone: string; stepMs: number }) {
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
      <TimeTicks {...{ frame, zone, stepMs }} />
    </>
  )
}
