/** An estimate as a bar, and its interval as a whisker with ends; the figures beside it say the same. */
export function IntervalBar({
  value,
  low,
  high,
  max,
}: {
  value: number
  low: number
  high: number
  max: number
}) {
  const at = (bytes: number) => `${Math.min(Math.max(bytes / max, 0), 1) * 100}%`
  return (
    <svg width="100%" height="16" className="block overflow-visible" aria-hidden="true">
      <rect x="0" y="4" width="100%" height="8" className="fill-wash" />
      <rect x="0" y="4" width={at(value)} height="8" className="fill-series-1" />
      {low === high ? null : (
        <g className="stroke-text" strokeWidth="1.5">
          <line x1={at(low)} x2={at(high)} y1="8" y2="8" />
          <line x1={at(low)} x2={at(low)} y1="3" y2="13" />
          <line x1={at(high)} x2={at(high)} y1="3" y2="13" />
        </g>
      )}
    </svg>
  )
}
