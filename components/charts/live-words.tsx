import { formatTime } from '@/components/ui/format'
import type { ChartData } from './chart-frame'
import { type Frame, isReading, type Point, spreadLabels, yOf } from './geometry'
import { lookOf } from './series-look'

/** Scale figures lie on the lines: a halo of paper keeps them readable. */
const HALO = 'fill-muted stroke-bg stroke-3 text-note [paint-order:stroke] [stroke-linejoin:round]'

type WordsProps = {
  series: ChartData['series']
  at: number
  frame: Frame
  format: (value: Point) => string
  labels: number
  zone: string
  from: number
  to: number
  crossX: number
  inside: boolean
  crossTime: number | undefined
}

/** Scale at the left, names and readings at the right edge, times at the foot. */
export function Words({
  series,
  at,
  frame,
  format,
  labels,
  zone,
  from,
  to,
  crossX,
  inside,
  crossTime,
}: WordsProps) {
  const readingsNow = series.map(({ values }) => values[at])
  const places = spreadLabels(
    readingsNow.map((value) => (isReading(value) ? yOf(value, frame) : frame.height)),
    series.length > 3 ? 30 : 28,
    0,
    frame.height - 12,
  )
  const most = labels < 100 ? 12 : 17
  return (
    <>
      <text x="0" y="-3" className={HALO}>
        {format(frame.max)}
      </text>
      <text x="0" y={frame.height / 2 - 3} className={HALO}>
        {format(frame.max / 2)}
      </text>
      {series.map(({ key, label }, place) => (
        <g key={key} transform={`translate(${frame.width + 8} ${(places[place] ?? 0) + 4})`}>
          <line
            x1="0"
            x2="12"
            y1="-4"
            y2="-4"
            strokeWidth="1.5"
            strokeDasharray={lookOf(place).dash}
            className={lookOf(place).stroke}
          />
          <text x="16" y="0" className="fill-text text-note font-medium tabular-nums">
            {format(readingsNow[place])}
          </text>
          <text x="0" y="13" className="fill-muted text-note">
            {label.length > most ? `${label.slice(0, most - 1)}…` : label}
          </text>
        </g>
      ))}
      {inside && crossTime !== undefined ? (
        <text
          x={Math.min(Math.max(crossX, 24), frame.width - 24)}
          y={frame.height + 15}
          textAnchor="middle"
          className="fill-text text-note tabular-nums"
        >
          {formatTime(crossTime, zone, { only: 'time' })}
        </text>
      ) : (
        <>
          <text x="0" y={frame.height + 15} className="fill-muted text-note tabular-nums">
            {formatTime(from, zone, { only: 'time' })}
          </text>
          <text
            x={frame.width}
            y={frame.height + 15}
            textAnchor="end"
            className="fill-muted text-note tabular-nums"
          >
            {formatTime(to, zone, { only: 'time' })}
          </text>
        </>
      )}
    </>
  )
}
