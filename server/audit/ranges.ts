/** Whole numbers from `seq` to `to`, both among them. */
export interface Range {
  seq: number
  to: number
}

export const lengthOf = (ranges: readonly Range[]) =>
  ranges.reduce((sum, { seq, to }) => sum + to - seq + 1, 0)

/** Adds a range behind those of a list in ascending order; what touches the last one grows it. */
export function extend(ranges: Range[], { seq, to }: Range): void {
  const last = ranges.at(-1)
  if (last && seq === last.to + 1) last.to = to
  else ranges.push({ seq, to })
}

/** In ascending order, without overlaps. */
export function merged(ranges: readonly Range[]): Range[] {
  const result: Range[] = []
  for (const { seq, to } of [...ranges].sort((a, b) => a.seq - b.seq)) {
    const last = result.at(-1)
    if (last && seq <= last.to + 1) last.to = Math.max(last.to, to)
    else result.push({ seq, to })
  }
  return result
}

/** What of `from` is in none of `taken`. */
export function without(from: readonly Range[], taken: readonly Range[]): Range[] {
  const holes = merged(taken)
  let at = 0
  return merged(from).flatMap(({ seq, to }) => {
    const left: Range[] = []
    while (at < holes.length && (holes[at] as Range).to < seq) at++
    let begin = seq
    for (let next = at; next < holes.length && (holes[next] as Range).seq <= to; next++) {
      const hole = holes[next] as Range
      if (hole.seq > begin) left.push({ seq: begin, to: hole.seq - 1 })
      begin = hole.to + 1
    }
    if (begin <= to) left.push({ seq: begin, to })
    return left
  })
}

/** What is in both. */
export const both = (a: readonly Range[], b: readonly Range[]) => without(a, without(a, b))
