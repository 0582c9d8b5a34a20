/** How the (at most four) series look: colour and dash together, so that colour alone carries nothing. */
export const SERIES_LOOK = [
  { stroke: 'stroke-series-1', dash: undefined, variable: 'var(--color-series-1)' },
  { stroke: 'stroke-series-2', dash: '6 3', variable: 'var(--color-series-2)' },
  { stroke: 'stroke-series-3', dash: '1.5 3', variable: 'var(--color-series-3)' },
  { stroke: 'stroke-series-4', dash: '8 3 1.5 3', variable: 'var(--color-series-4)' },
] as const

export const MOST_SERIES = SERIES_LOOK.length

/** The look of the series at a place; a fifth one is a mistake of the page. */
export function lookOf(at: number) {
  const look = SERIES_LOOK[at]
  if (!look) throw new RangeError(`A chart shows at most ${MOST_SERIES} series`)
  return look
}
