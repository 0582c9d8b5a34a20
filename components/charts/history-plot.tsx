'use client'

import { type KeyboardEvent, useMemo, useRef, useState } from 'react'
import { CartesianGrid, Line, LineChart, ReferenceLine, Tooltip, XAxis, YAxis } from 'recharts'
import { formatTime } from '@/components/ui/format'
import { useZone } from '@/components/ui/zone'
import { gapOf, isReading, niceMax, type Point } from './geometry'
import { HistoryBrush } from './history-brush'
import { type HistoryChartProps, highestKey, PlotLoading } from './history-chart'
import { HistoryLegend } from './history-legend'
import { lookOf } from './series-look'
import { useTurn } from './use-turn'

const DAY_MS = 86_400_000

/** A finer, dotted line in the colour of its series. */
const HIGHEST = { strokeWidth: 1, strokeDasharray: '1 2.5' }

type Props = HistoryChartProps & { from: number; to: number }

/** The drawing inside a HistoryChart, when its turn has come. */
export function HistoryPlot(props: Props) {
  return useTurn() ? <Plot {...props} /> : <PlotLoading />
}

function Plot({ times, series, format, from, to, marks = [], onBrush }: Props) {
  const zone = useZone()
  const rows = useMemo(() => rowsOf(times, series), [times, series])
  const max = useMemo(
    () =>
      niceMax([
        ...series,
        ...series.map(({ key, label, highest = [] }) => ({ key, label, values: highest })),
      ]),
    [series],
  )
  const active = useRef<number | undefined>(undefined)
  const [start, setStart] = useState<number | null>(null)
  const tick = (at: number) =>
    to - from > DAY_MS
      ? formatTime(at, zone, { seconds: false }).slice(5)
      : formatTime(at, zone, { only: 'time', seconds: false })
  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Escape') setStart(null)
    if (event.key !== 'Enter' || !onBrush || active.current === undefined) return
    event.preventDefault()
    const end = active.current
    if (start === null) setStart(end)
    else {
      setStart(null)
      if (end !== start) onBrush({ from: Math.min(start, end), to: Math.max(start, end) })
    }
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys come from the chart inside, which has the focus
    <div className="history-plot" onKeyDown={onKeyDown}>
      <LineChart
        responsive
        data={rows}
        className="h-40 w-full text-note"
        margin={{ top: 12, right: 8, bottom: 0, left: 0 }}
        accessibilityLayer
        syncId="history"
        syncMethod="value"
      >
        <CartesianGrid vertical={false} stroke="var(--color-border)" />
        <XAxis
          dataKey="time"
          type="number"
          scale="time"
          domain={[from, to]}
          allowDataOverflow
          tickFormatter={tick}
          minTickGap={48}
          tickLine={false}
          axisLine={false}
          stroke="var(--color-muted)"
        />
        <YAxis
          domain={[0, max]}
          ticks={[0, max / 2, max]}
          tickFormatter={(value: number) => format(value)}
          tickLine={false}
          axisLine={false}
          width="auto"
          stroke="var(--color-muted)"
        />
        <Tooltip
          isAnimationActive={false}
          cursor={{ stroke: 'var(--color-text)', strokeWidth: 1 }}
          content={({ active, payload, label }) =>
            active && payload ? (
              <div className="rounded-float border border-border bg-surface px-3 py-2 text-note text-text shadow-float">
                <p className="text-muted tabular-nums">
                  {formatTime(Number(label), zone, { withZone: true })}
                </p>
                {payload.map((entry) => (
                  <p key={String(entry.dataKey)} className="flex justify-between gap-4 tabular-nums">
                    <span>{entry.name}</span>
                    <span className="font-medium">{format(entry.value as Point)}</span>
                  </p>
                ))}
              </div>
            ) : null
          }
        />
        {marks.map((mark) => (
          <ReferenceLine
            key={`${mark.at}-${mark.label}`}
            x={mark.at}
            stroke="var(--color-text)"
            strokeDasharray="2 3"
            label={{ value: mark.label, position: 'insideTopLeft', fill: 'var(--color-muted)', fontSize: 12 }}
          />
        ))}
        {series.flatMap(({ key, label, highest, values }, at) => {
          const { variable: stroke, dash } = lookOf(at)
          const line = { stroke, isAnimationActive: false, connectNulls: false, type: 'linear' as const }
          const mean = (
            <Line
              {...line}
              key={key}
              dataKey={key}
              name={highest ? `${label}, mean` : label}
              strokeWidth={1.5}
              strokeDasharray={dash}
              dot={standsAlone(values) ? <LonePoint rows={rows} /> : false}
            />
          )
          if (!highest) return [mean]
          const name = `${label}, highest`
          return [
            <Line
              {...line}
              {...HIGHEST}
              key={highestKey(key)}
              dataKey={highestKey(key)}
              name={name}
              dot={false}
            />,
            mean,
          ]
        })}
        <HistoryBrush
          start={start}
          onActive={(time) => {
            active.current = time
          }}
          onBrush={onBrush}
        />
      </LineChart>
      <HistoryLegend series={series} finer={HIGHEST} />
      {onBrush ? (
        <p className="sr-only">Arrow keys move the crosshair, Enter marks the ends of a window.</p>
      ) : null}
    </div>
  )
}

type Row = Record<string, number | null>

/** Rows for recharts, with an empty one in each gap so that its line breaks there. */
function rowsOf(times: HistoryChartProps['times'], series: HistoryChartProps['series']): Row[] {
  const gap = gapOf(times)
  const rows: Row[] = []
  times.forEach((time, at) => {
    const before = times[at - 1]
    if (before !== undefined && time - before > gap) rows.push({ time: before + 1 })
    const row: Row = { time }
    for (const { key, values, highest } of series) {
      row[key] = values[at] ?? null
      if (highest) row[highestKey(key)] = highest[at] ?? null
    }
    rows.push(row)
  })
  return rows
}

const aloneAt = (value: Point, before: Point, after: Point) =>
  isReading(value) && !isReading(before) && !isReading(after)

function standsAlone(values: readonly Point[]): boolean {
  return values.some((value, at) => aloneAt(value, values[at - 1], values[at + 1]))
}

/** A reading between two gaps has no line: it is a dot. recharts gives the place. */
function LonePoint(props: {
  rows: readonly Row[]
  cx?: number
  cy?: number
  index?: number
  dataKey?: unknown
  stroke?: string
}) {
  const { rows, cx, cy, index = -1, stroke } = props
  const key = String(props.dataKey)
  if (cx === undefined || cy === undefined) return null
  if (!aloneAt(rows[index]?.[key], rows[index - 1]?.[key], rows[index + 1]?.[key])) return null
  return <circle cx={cx} cy={cy} r="1.5" fill={stroke} />
}
