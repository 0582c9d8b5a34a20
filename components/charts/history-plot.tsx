'use client'

import { useMemo } from 'react'
import { CartesianGrid, Line, LineChart, ReferenceLine, Tooltip, XAxis, YAxis } from 'recharts'
import { formatTime } from '@/components/ui/format'
import { useZone } from '@/components/ui/zone'
import { gapOf, niceMax, type Point } from './geometry'
import type { HistoryChartProps } from './history-chart'
import { lookOf } from './series-look'

const DAY_MS = 86_400_000

/** The drawing inside a HistoryChart. */
export function HistoryPlot({
  times,
  series,
  format,
  from,
  to,
  marks = [],
}: HistoryChartProps & { from: number; to: number }) {
  const zone = useZone()
  const rows = useMemo(() => rowsOf(times, series), [times, series])
  const max = useMemo(() => niceMax(series), [series])
  const tick = (at: number) =>
    to - from > DAY_MS
      ? formatTime(at, zone, { seconds: false }).slice(5)
      : formatTime(at, zone, { only: 'time', seconds: false })
  return (
    <div className="history-plot">
      <LineChart
        responsive
        data={rows}
        className="h-56 w-full text-note"
        margin={{ top: 12, right: 8, bottom: 0, left: 0 }}
        accessibilityLayer
      >
        <CartesianGrid vertical={false} stroke="var(--color-border)" />
        <XAxis
          dataKey="time"
          type="number"
          scale="time"
          domain={[from, to]}
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
        {series.map((each, at) => (
          <Line
            key={each.key}
            dataKey={each.key}
            name={each.label}
            stroke={lookOf(at).variable}
            strokeWidth={1.5}
            strokeDasharray={lookOf(at).dash}
            dot={false}
            isAnimationActive={false}
            connectNulls={false}
            type="linear"
          />
        ))}
      </LineChart>
      <ul className="flex flex-wrap gap-x-4 gap-y-1 text-note">
        {series.map((each, at) => (
          <li key={each.key} className="flex items-center gap-1.5">
            <svg viewBox="0 0 16 4" className="h-1 w-4" aria-hidden="true">
              <line
                x1="0"
                x2="16"
                y1="2"
                y2="2"
                strokeWidth="1.5"
                strokeDasharray={lookOf(at).dash}
                className={lookOf(at).stroke}
              />
            </svg>
            {each.label}
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Rows for recharts, with an empty one in each gap so that its line breaks there. */
function rowsOf(times: HistoryChartProps['times'], series: HistoryChartProps['series']) {
  const gap = gapOf(times)
  const rows: Record<string, number | null>[] = []
  times.forEach((time, at) => {
    const before = times[at - 1]
    if (before !== undefined && time - before > gap) rows.push({ time: before + 1 })
    const row: Record<string, number | null> = { time }
    for (const { key, values } of series) row[key] = values[at] ?? null
    rows.push(row)
  })
  return rows
}
