import { createIndex, describeIndex, dropIndex, indexName } from './ddl'
import type { TableDemand } from './demands'
import { inSequence } from './sequence'
import { readStatement } from './statement'
import type { Advice, AdviseOptions, IndexShape, TableFacts, Verdict } from './types'

/** Milliseconds that one more index adds to a row that is written; `npm run bench -- advisor` measures it. */
export const UPKEEP_MILLISECONDS = 0.01

/** The verdict on one statement, and what that asks of which table. */
export interface Judged {
  verdict: Verdict
  demands: TableDemand[]
}

/** Makes of the verdicts of single statements what to do: one index may serve several, or contain another. */
export function gather(
  judged: readonly Judged[],
  sizes: ReadonlyMap<string, number>,
  tables: readonly TableFacts[],
  { writes }: AdviseOptions,
  { concurrently }: { concurrently: boolean },
): { verdicts: Verdict[]; advice: Advice[] } {
  const verdicts = judged.map(({ verdict }) => verdict)
  const asked = new Map(judged.map(({ verdict, demands }) => [verdict, demands]))
  const advice = merged(verdicts).map(({ index, served }) =>
    toAdvice(index, served, verdicts, sizes, tables, concurrently),
  )
  const outweighed = advice.filter(({ index, savesMilliseconds }) => {
    const written = writes?.get(index.table)
    return (
      written !== undefined && savesMilliseconds !== null && written * UPKEEP_MILLISECONDS > savesMilliseconds
    )
  })
  const dropped = new Set(outweighed.flatMap(({ verdicts: served }) => served))
  return {
    verdicts: verdicts.map((verdict) =>
      dropped.has(verdict)
        ? { ...verdict, index: null, none: 'writes-outweigh', because: tooManyWrites(verdict) }
        : verdict,
    ),
    advice: inSequence(
      advice
        .filter((each) => !outweighed.includes(each))
        .sort((a, b) => (b.savesMilliseconds ?? 0) - (a.savesMilliseconds ?? 0)),
      (verdict) => asked.get(verdict),
    ),
  }
}

const tooManyWrites = ({ index }: Verdict): string =>
  `An index on ${index ? describeIndex(index) : ''} would cost the writes to the table more time than it saves here.`

/** Each index once, and none that another one begins with. */
function merged(verdicts: Verdict[]): { index: IndexShape; served: Verdict[] }[] {
  const groups = new Map<string, { index: IndexShape; served: Verdict[] }>()
  for (const verdict of verdicts) {
    if (!verdict.index) continue
    const key = `${verdict.index.schema ?? ''}.${describeIndex(verdict.index)}`
    const group = groups.get(key) ?? { index: verdict.index, served: [] }
    group.served.push(verdict)
    groups.set(key, group)
  }
  const all = [...groups.values()].sort((a, b) => b.index.keys.length - a.index.keys.length)
  const kept: typeof all = []
  for (const group of all) {
    const longer = kept.find(({ index }) => contains(index, group.index))
    if (longer) longer.served.push(...group.served)
    else kept.push(group)
  }
  return kept
}

/** Whether `longer` serves whatever `shorter` does. */
function contains(longer: IndexShape, shorter: IndexShape): boolean {
  return (
    longer.schema === shorter.schema &&
    longer.table === shorter.table &&
    longer.where === shorter.where &&
    shorter.include.every(
      (name) => longer.include.includes(name) || longer.keys.some((key) => key.name === name),
    ) &&
    shorter.keys.every((key, at) => {
      const other = longer.keys[at]
      return (
        other?.name === key.name &&
        other.operators === key.operators &&
        Boolean(other.descending) === Boolean(key.descending)
      )
    })
  )
}

function toAdvice(
  index: IndexShape,
  served: Verdict[],
  all: Verdict[],
  sizes: ReadonlyMap<string, number>,
  tables: readonly TableFacts[],
  concurrently: boolean,
): Advice {
  const table = tables.find(({ schema, name }) => schema === index.schema && name === index.table)
  const name = indexName(index)
  const verdicts = [...served].sort((a, b) => b.statement.totalMilliseconds - a.statement.totalMilliseconds)
  const measured = verdicts.filter(({ statement }) => statement.totalMilliseconds > 0)
  const held = new Set([...index.keys.map((key) => key.name), ...index.include])
  return {
    index,
    name,
    ddl: createIndex(index, name, concurrently),
    undo: dropIndex(index, name, concurrently),
    sizeBytes: sizes.get(describeIndex(index)) ?? 0,
    verdicts,
    after: [],
    savesMilliseconds:
      measured.length > 0 ? measured.reduce((sum, verdict) => sum + saved(verdict), 0) : null,
    writes: {
      indexes: table?.indexes.length ?? 0,
      ...(table?.writes ?? { inserts: 0, updates: 0, deletes: 0 }),
      slowsUpdatesOf: updatedColumns(all, index.table).filter((column) => held.has(column)),
    },
    confidence: confidenceOf(verdicts),
  }
}

function saved({ statement, evidence }: Verdict): number {
  if (!evidence) return 0
  return statement.totalMilliseconds * (1 - evidence.costAfter / evidence.costBefore)
}

/** Columns that some statement of the same work sets: with an index on one, its updates are no longer heap-only. */
function updatedColumns(verdicts: Verdict[], table: string): string[] {
  const sets = verdicts.flatMap(({ statement }) =>
    readStatement(statement.text)
      .queries.filter(({ sources }) => sources[0]?.table === table)
      .flatMap((query) => query.sets),
  )
  return [...new Set(sets)]
}

/** The planner's own word on a hypothetical index counts more than a formula; a wide gain forgives its errors. */
function confidenceOf(verdicts: Verdict[]): Advice['confidence'] {
  const ratios = verdicts.flatMap(({ evidence }) =>
    evidence ? evidence.costBefore / evidence.costAfter : [],
  )
  const ratio = Math.max(...ratios)
  const planned = verdicts.every(({ evidence }) => evidence?.method !== 'statistics')
  if (ratio >= 10) return planned ? 'high' : 'medium'
  return planned ? 'medium' : 'low'
}
