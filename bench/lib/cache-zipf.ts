/** Ranks from 0 to `count` - 1, the n-th with a share of 1/n^exponent of all (Zipf's law), by binary search. */
export function zipf(count: number, exponent: number, random: () => number): () => number {
  const sums = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) {
    sum += (rank + 1) ** -exponent
    sums[rank] = sum
  }
  return () => {
    const wanted = random() * sum
    let from = 0
    let to = count - 1
    while (from < to) {
      const middle = (from + to) >> 1
      if ((sums[middle] as number) < wanted) from = middle + 1
      else to = middle
    }
    return from
  }
}
