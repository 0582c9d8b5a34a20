import type { Progress, Run } from '@/components/migration/types'
import { placeOf, stateWords } from '@/components/migration/words'
import { formatBytes, formatDuration, formatNumber } from '@/components/ui/format'

/** One figure of two runs. */
export interface Line {
  label: string
  a: string
  b: string
  /** How the second differs from the first, in percent. */
  change?: string
}

type Report = NonNullable<Run['report']>
type Figures = Progress['tables'][number]

/** What can be told of two runs, line by line. */
export function linesOf(a: Run, b: Run): Line[] {
  const words = (label: string, of: (run: Run) => string): Line => ({ label, a: of(a), b: of(b) })
  const figures = (
    label: string,
    of: (report: Report) => number | undefined,
    format: (value: number | null) => string,
  ): Line => {
    const [x, y] = [a, b].map(({ report }) => (report ? (of(report) ?? null) : null)) as [
      number | null,
      number | null,
    ]
    return { label, a: format(x), b: format(y), ...changeOf(x, y) }
  }
  const phases = ['preflight', 'plan', 'schema', 'transfer', 'build', 'validate'] as const
  return [
    words('Source', ({ sourceName }) => sourceName),
    words('Target', ({ target }) => `${placeOf(target)} ${target.schema}`),
    words('State', ({ state }) => stateWords[state].word),
    words('Both sides', bothSides),
    figures('Rows', ({ rows }) => rows, formatNumber),
    figures('Rejected', ({ rejected }) => rejected, formatNumber),
    figures('Data sent', ({ bytes }) => bytes, formatBytes),
    figures('Rows per second', rowsPerSecond, formatNumber),
    ...phases.map((name) =>
      figures(
        `Phase ${name}`,
        ({ phases }) => phases.find(({ phase }) => phase === name)?.milliseconds,
        formatDuration,
      ),
    ),
    figures('Whole run', ({ startedAt, finishedAt }) => finishedAt - startedAt, formatDuration),
  ]
}

function bothSides({ validation }: Run): string {
  if (!validation) return 'not compared'
  if (validation.ok) return 'the same'
  const different = validation.tables.filter(({ ok }) => !ok).length
  return different > 0
    ? `${different} of ${validation.tables.length} tables differ`
    : 'a key or sequence differs'
}

const rowsPerSecond = ({ rows, transferMilliseconds }: Report) =>
  transferMilliseconds > 0 ? Math.round((rows / transferMilliseconds) * 1000) : undefined

function changeOf(a: number | null, b: number | null): Pick<Line, 'change'> {
  if (a === null || b === null || a === b || a === 0) return {}
  const percent = Math.round((b / a - 1) * 100)
  return { change: `${percent > 0 ? '+' : percent < 0 ? '−' : '±'}${Math.abs(percent)} %` }
}

/** Tables of either run by name. */
export function tablesOf(a: Run, b: Run): { table: string; a?: Figures; b?: Figures }[] {
  const [first, second] = [a, b].map(
    ({ progress }) => new Map(progress?.tables.map((table) => [table.table, table])),
  )
  const names = [...new Set([...(first?.keys() ?? []), ...(second?.keys() ?? [])])].sort()
  return names.map((table) => ({ table, a: first?.get(table), b: second?.get(table) }))
}
