import { formatTime } from '@/components/ui/format'
import { ticksOf } from './bars'
import { type Frame, xOf } from './geometry'

const DAY_MS = 86_400_000

/** Times at the foot of a chart of steps. */
export function TimeTicks({ frame, zone, stepMs }: { frame: Frame; zone: string; stepMs: number }) {
  const span = frame.to - frame.from
  // Times between the begins of steps would be written alike.
  const most = Math.max(Math.min(frame.width / 110, span / stepMs), 1)
  const ticks = ticksOf(frame.from, frame.to, most, offsetOf(zone, frame.from))
  const wordOf = (time: number) =>
    span > 4 * DAY_MS
      ? formatTime(time, zone, { only: 'date' }).slice(5)
      : formatTime(time, zone, { only: 'time', seconds: stepMs < 60_000 && span < 600_000 })
  return ticks.map((time) => {
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
  })
}

/** How far the zone's clock is ahead of UTC at a time, in ms. */
function offsetOf(zone: string, at: number): number {
  const second = Math.floor(at / 1000) * 1000
  return Date.parse(`${formatTime(second, zone).replace(' ', 'T')}Z`) - second
}
