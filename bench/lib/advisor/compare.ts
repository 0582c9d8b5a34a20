import { median } from '../measure'

/** Enough pairs for the extremes to hold the median at 97 %, and where to stop when noise stays. */
const PAIRS = { least: 6, most: 60 }

export interface Compared {
  /** The median of `after` over `before`, pair by pair. */
  ratio: number
  before: number
  after: number
  pairs: number
}

/**
 * Measures both sides in turn, who is first changing, until the ratio's 95 % interval lies on one side of `limit`
 * (order statistics of the median: Conover, Practical Nonparametric Statistics, 3.2).
 */
export async function compare(
  before: () => Promise<number>,
  after: () => Promise<number>,
  limit: number,
): Promise<Compared> {
  const befores: number[] = []
  const afters: number[] = []
  const ratios: number[] = []
  while (ratios.length < PAIRS.most) {
    const [first, second] = ratios.length % 2 === 0 ? [before, after] : [after, before]
    const [one, two] = [await first(), await second()]
    const [was, is] = first === before ? [one, two] : [two, one]
    befores.push(was)
    afters.push(is)
    ratios.push(is / was)
    if (ratios.length < PAIRS.least) continue
    const { low, high } = interval(ratios)
    if (high <= limit || low > limit) break
  }
  return { ratio: median(ratios), before: median(befores), after: median(afters), pairs: ratios.length }
}

function interval(values: readonly number[]): { low: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const out = Math.max(0, Math.floor((sorted.length - 1.96 * Math.sqrt(sorted.length)) / 2))
  return { low: sorted[out] as number, high: sorted[sorted.length - 1 - out] as number }
}
