import clsx from 'clsx'
import { linePath, niceMax, type Point } from './geometry'

const WIDTH = 72
const HEIGHT = 20

/** A line the size of a word, beside its figure. It repeats what the figure says, so it is silent by default. */
export function Sparkline({
  values,
  max,
  label,
  className,
}: {
  values: readonly Point[]
  max?: number
  label?: string
  className?: string
}) {
  const times = values.map((_, at) => at)
  const top = max ?? niceMax([{ key: '', label: '', values }])
  const frame = { width: WIDTH, height: HEIGHT, from: 0, to: Math.max(values.length - 1, 1), max: top }
  return (
    <svg
      viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`}
      className={clsx('h-[22px] w-[72px] shrink-0', className)}
      role={label ? 'img' : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
    >
      <line x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} className="stroke-border" />
      <path
        d={linePath(times, values, frame)}
        fill="none"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
        className="stroke-series-1"
      />
    </svg>
  )
}
