import clsx from 'clsx'

/** Colour and pattern go round at different lengths: twelve primaries look different, and each has its number. */
const FILLS = ['fill-series-1', 'fill-series-2', 'fill-series-3', 'fill-series-4'] as const
const PATTERNS = [
  null,
  <path key="diagonal" d="M-2 2 2 -2M0 8 8 0M6 10 10 6" />,
  <path key="upright" d="M2 0v8M6 0v8" />,
] as const

const fillOf = (number: number) => FILLS[(number - 1) % FILLS.length]

/** Patterns of one drawing, to be placed in its `defs`. `id` must be its own on the page. */
export function SlotPatterns({ id }: { id: string }) {
  return PATTERNS.map((lines, at) =>
    lines === null ? null : (
      <pattern
        // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes
        key={at}
        id={`${id}-${at}`}
        width="8"
        height="8"
        patternUnits="userSpaceOnUse"
        className="stroke-bg"
        strokeWidth="1.5"
      >
        {lines}
      </pattern>
    ),
  )
}

/** A stretch of slots in the look of its primary. */
export function SlotRect({
  id,
  number,
  ...place
}: {
  id: string
  number: number
  x: string
  y: number
  width: string
  height: number
}) {
  const pattern = (number - 1) % PATTERNS.length
  return (
    <>
      <rect {...place} className={clsx(fillOf(number), 'stroke-bg')} />
      {PATTERNS[pattern] ? <rect {...place} fill={`url(#${id}-${pattern})`} /> : null}
    </>
  )
}
