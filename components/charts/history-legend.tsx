import type { HistorySeries } from './history-chart'
import { lookOf } from './series-look'

/** Which line is which, below the chart; the finer line of the highest is explained once. */
export function HistoryLegend({
  series,
  finer,
}: {
  series: readonly HistorySeries[]
  finer: { strokeWidth: number; strokeDasharray: string }
}) {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-note">
      {series.map(({ key, label, highest }, at) => (
        <li key={key} className="flex items-center gap-1.5">
          <Swatch className={lookOf(at).stroke} strokeWidth={1.5} strokeDasharray={lookOf(at).dash} />
          {highest ? `${label}, mean` : label}
        </li>
      ))}
      {series.some(({ highest }) => highest) ? (
        <li className="flex items-center gap-1.5 text-muted">
          <Swatch className="stroke-muted" {...finer} />
          highest
        </li>
      ) : null}
    </ul>
  )
}

function Swatch({
  className,
  ...line
}: {
  className: string
  strokeWidth: number
  strokeDasharray: string | undefined
}) {
  return (
    <svg viewBox="0 0 16 4" className="h-1 w-4" aria-hidden="true">
      <line x1="0" x2="16" y1="2" y2="2" className={className} {...line} />
    </svg>
  )
}
