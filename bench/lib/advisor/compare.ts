import { median } from '../measure'

/**
 * Pairs that are enough when they are clear, those whose extremes hold the median at 97 %, and where to stop when
 * noise stays.
 */
const PAIRS = { clear: 2, least: 6, most: 60 }
/** Pairs at most where each is many samples, and the two sides take seconds to change. */
export const FEW_PAIRS = 15
/** Further below the limit than noise carries anything. */
const CLEAR = 0.6

export interface Compared {
  /** The median of `after` over `before`, pair by pair. */
  ratio: number
  before: number
  after: number
  pairs: number
}

type Pair = { was: number[]; is: number[] }

/**
 * Measures both sides in turn, who is first changing, until the 95 % interval of every ratio lies on one side of
 * `limit` (order statistics of the median: Conover, Practical Nonparametric Statistics, 3.2). Each side answers the
 * same figures in the same order.
 */
export async function compare(
  before: () => Promise<number[]>,
  after: () => Promise<number[]>,
  limit: number,
  most = PAIRS.most,
): Promise<Compared[]> {
  const pairs: Pair[] = []
  while (pairs.length < most) {
    if (pairs.length % 2 === 0) pairs.push({ was: await before(), is: await after() })
    else {
      const is = await after()
      pairs.push({ was: await before(), is })
    }
    if (
      pairs.length >= PAIRS.clear &&
      ratiosOf(pairs)
        .flat()
        .every((ratio) => ratio < limit * CLEAR)
    )
      break
    if (pairs.length < PAIRS.least) continue
    const settled = ratiosOf(pairs).every((ratios) => {
      const { low, high } = interval(ratios)
      return high <= limit || low > limit
    })
    if (settled) break
  }
  return ratiosOf(pairs).map((ratios, at) => ({
    ratio: median(ratios),
    before: median(pairs.map(({ was }) => was[at] as number)),
    after: median(pairs.map(({ is }) => is[at] as number)),
    pairs: pairs.length,
  }))
}

function ratiosOf(pairs: readonly Pair[]): number[][] {
  const figures = pairs[0]?.was.length ?? 0
  return Array.from({ length: figures }, (_, at) =>
    pairs.map(({ was, is }) => (is[at] as number) / (was[at] as number)),
  )
}

function interval(values: readonly number[]): { low: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const out = Math.max(0, Math.floor((sorted.length - 1.96 * Math.sqrt(sorted.length)) / 2))
  return { low: sorted[out] as number, high: sorted[sorted.length - 1 - out] as number }
}
