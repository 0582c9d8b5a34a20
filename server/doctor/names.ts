/** Variables that are read and stand in no table: they say where the rest is, or belong to the tools. */
const ALSO = ['HOLDFAST_ENV_FILE', 'HOLDFAST_ALL', 'HOLDFAST_TOTALS', 'HOLDFAST_DOCTOR']

/** A name that nothing reads, and the one that was probably meant. */
export interface UnknownName {
  name: string
  meant: string | null
}

/**
 * Names that look like ours and that nothing reads. In a file of ours that is every other name; in the environment,
 * which is everybody's, those that begin with HOLDFAST_ or are one or two letters off.
 */
export function unknownNames(
  given: readonly string[],
  known: readonly string[],
  ours: boolean,
): UnknownName[] {
  const read = new Set([...known, ...ALSO])
  return [...given]
    .sort()
    .filter((name) => !read.has(name))
    .map((name) => ({ name, meant: nearest(name, known) }))
    .filter(({ name, meant }) => ours || name.startsWith('HOLDFAST_') || meant !== null)
}

function nearest(name: string, known: readonly string[]): string | null {
  const near = known
    // Short names are near to many others: HOME is not a mistyped HOST.
    .filter((each) => each.includes('_'))
    .map((each) => ({ each, distance: distanceOf(name.toUpperCase(), each) }))
    .sort((a, b) => a.distance - b.distance)[0]
  return near && near.distance <= (near.each.length < 10 ? 1 : 2) ? near.each : null
}

/** Letters to add, take away, change or swap with the next one (Damerau and Levenshtein). */
function distanceOf(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)]
  const cell = (i: number, j: number) => rows[i]?.[j] ?? 0
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(
        Math.min(
          cell(i - 1, j) + 1,
          (row[j - 1] ?? 0) + 1,
          cell(i - 1, j - 1) + changed,
          ...(swapped ? [cell(i - 2, j - 2) + 1] : []),
        ),
      )
    }
  }
  return cell(a.length, b.length)
}
