import { type Candidate, candidatesFor, covering, findsOneRow } from './candidates'
import { readTable } from './catalog'
import { choose, type Option } from './choose'
import { type Coster, openCoster } from './coster'
import { describeIndex } from './ddl'
import { demandsOf, type TableDemand } from './demands'
import { placesOf } from './estimate'
import { gather, type Judged } from './gather'
import { quoteName, withCasts } from './normalise'
import { explain, type PlanNode, type PrivateConnection, planning, planText, rowsWhere } from './planner'
import { readStatement, type Source } from './statement'
import type { Advised, AdviseOptions, NoneReason, TableFacts, WorkStatement } from './types'
import { usageOf } from './usage'

/** A statement that takes less is left alone: most of it is the way to the server and back. */
const QUICK_MILLISECONDS = 0.3
/** Tables of this few pages are read whole as quickly as through an index. */
const SMALL_PAGES = 16
/** Candidates of which a covering form is tried. */
const COVERED = 3

/**
 * Finds, for each statement, the index that would make it cheaper, or says why there is none. Nothing is changed
 * and no statement is run: it is planned, in a read-only transaction, for any values; a sample of rows is read where
 * an expression's values must be counted. `connection` must be used by
 * nobody else meanwhile, and not be a session that a pooler shares between transactions. Costs come from
 * hypothetical indexes where the extension hypopg is created, and otherwise from the statistics.
 */
export async function adviseIndexes(
  connection: PrivateConnection,
  statements: readonly WorkStatement[],
  options: AdviseOptions = {},
): Promise<Advised> {
  return planning(connection, async () => {
    const coster = await openCoster(connection, options.method)
    const tables = new Map<string, TableFacts | undefined>()
    const facts = async (source: Source): Promise<TableFacts | undefined> => {
      const key = `${source.schema ?? ''}.${source.table}`
      if (!tables.has(key)) tables.set(key, await readTable(connection, source))
      return tables.get(key)
    }
    const judged: Judged[] = []
    const sized = new Map<string, number>()
    for (const statement of statements) {
      const { bytes, ...rest } = await judge(connection, coster, facts, statement, options)
      judged.push(rest)
      if (rest.verdict.index) sized.set(describeIndex(rest.verdict.index), bytes)
    }
    const known = [...tables.values()].flatMap((table) => table ?? [])
    return { method: coster.method, ...gather(judged, sized, known, options, { concurrently: true }) }
  })
}

async function judge(
  connection: PrivateConnection,
  coster: Coster,
  facts: (source: Source) => Promise<TableFacts | undefined>,
  statement: WorkStatement,
  { writes }: AdviseOptions,
): Promise<Judged & { bytes: number }> {
  const { calls, totalMilliseconds } = statement
  const text = withCasts(statement.text)
  const none = (reason: NoneReason, because: string) => ({
    verdict: { statement, index: null, none: reason, because, evidence: null },
    demands: [],
    bytes: 0,
  })
  const mean = calls > 0 ? totalMilliseconds / calls : 0
  if (mean > 0 && mean < QUICK_MILLISECONDS) {
    return none('quick-already', `A call takes ${mean.toFixed(2)} ms: an index could save next to nothing.`)
  }
  const { kind, queries } = readStatement(text)
  if (queries.length === 0 && kind !== 'other') {
    return none('no-condition', 'It looks nothing up: there is no table that it searches.')
  }
  const before = await explain(connection, text)
  if (!before) return none('not-understood', 'The server cannot plan this text by itself.')
  const tables = new Map<Source, TableFacts>()
  for (const source of queries.flatMap((query) => query.sources)) {
    const table = await facts(source)
    if (table) tables.set(source, table)
  }
  if (tables.size === 0) return none('no-table', 'It reads no table that an index can be made on.')
  const unknown = [...tables.values()].find((table) => !table.analysed)
  if (unknown) {
    return none(
      'no-statistics',
      `${unknown.name} was never analysed, so nobody can tell what is selective: run ANALYZE first.`,
    )
  }
  const demands = queries.flatMap((query) => demandsOf(query, tables))
  for (const demand of demands) await countParts(connection, demand)
  const found = demands.flatMap((demand) => candidatesFor(demand))
  const options = await costAll(coster, text, before, found)
  const chosen = choose(likelyCost(before, demands), options, { calls, totalMilliseconds, writes })
  if (!chosen) return none(...whyNone(before, demands, found.length))
  const { shape } = chosen.candidate
  return {
    bytes: chosen.costed.bytes,
    demands,
    verdict: {
      statement,
      index: shape,
      none: null,
      because: `With an index on ${describeIndex(shape)} it costs ${rounded(chosen.costed.cost)} instead of ${rounded(before['Total Cost'])}.`,
      evidence: {
        method: coster.method,
        costBefore: before['Total Cost'],
        costAfter: chosen.costed.cost,
        planBefore: planText(before),
        planAfter: chosen.costed.plan,
      },
    },
  }
}

/**
 * What the statement costs for the values that it is likely to be called with. A generic plan takes every value of
 * a column for equally frequent; a scan in order that stops at a limit is dear only for rare ones, and frequent
 * values are asked for more often.
 */
function likelyCost(before: PlanNode, demands: TableDemand[]): number {
  const cost = before['Total Cost']
  const path = nodesOf(before).map((node) => node['Node Type'])
  const stops = path.includes('Limit') && !path.some((type) => /Sort|Seq Scan|Bitmap|Aggregate/.test(type))
  if (!stops) return cost
  const filtered = demands.flatMap(({ source, demands: asked }) =>
    placesOf(before, source.alias).flatMap(({ scan }) =>
      asked.filter(
        ({ kind, constant, facts }) =>
          kind === 'equal' && constant === undefined && scan.Filter?.includes(facts.name),
      ),
    ),
  )
  return filtered.reduce((sum, { facts }) => {
    const evenly = 1 / Math.max(1, facts.distinct ?? 1)
    return sum * (evenly / Math.max(evenly, facts.sameShare))
  }, cost)
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]

const rounded = (cost: number): string =>
  cost < 10 ? cost.toFixed(1) : Math.round(cost).toLocaleString('en')

/** Asks how many rows each constant condition leaves: an index on a part pays only for a small one. */
async function countParts(connection: PrivateConnection, { demands, source }: TableDemand): Promise<void> {
  const schema = source.schema ? `${quoteName(source.schema)}.` : ''
  const from = `${schema}${quoteName(source.table)} AS ${quoteName(source.alias)}`
  for (const demand of demands) {
    const constant = demand.constant !== undefined || /^(null|notNull|true|false)$/.test(demand.kind)
    if (constant && !demand.expression)
      demand.rows = (await rowsWhere(connection, from, [demand.text])) ?? null
  }
}

async function costAll(
  coster: Coster,
  text: string,
  before: PlanNode,
  candidates: Candidate[],
): Promise<Option[]> {
  const options: Option[] = []
  const cost = async (candidate: Candidate): Promise<void> => {
    const costed = await coster.cost(text, before, candidate)
    if (!costed) return
    const [place] = placesOf(before, candidate.demand.source.alias)
    const ordered = usageOf(candidate)?.ordered ?? false
    options.push({ candidate, costed, ordered, read: place?.scan['Total Cost'] ?? before['Total Cost'] })
  }
  for (const candidate of candidates) await cost(candidate)
  const wide = await coverings(candidates, options)
  for (const candidate of wide) await cost(candidate)
  return options
}

/** Covering forms of the best, and of those that are no use because every row costs a page. */
async function coverings(candidates: Candidate[], options: Option[]): Promise<Candidate[]> {
  const costs = new Map(options.map(({ candidate, costed }) => [candidate, costed.cost]))
  const cost = (candidate: Candidate): number => costs.get(candidate) ?? Number.POSITIVE_INFINITY
  return candidates
    .filter((candidate) => (usageOf(candidate)?.conditions.length ?? 0) > 0)
    .sort((a, b) => cost(a) - cost(b))
    .slice(0, COVERED)
    .flatMap((candidate) => covering(candidate) ?? [])
}

function whyNone(before: PlanNode, demands: TableDemand[], candidates: number): [NoneReason, string] {
  const [largest] = [...demands].sort((a, b) => b.table.pages - a.table.pages)
  const name = largest?.table.name ?? 'the table'
  if (demands.every(({ demands: asked, order }) => asked.length === 0 && order.length === 0)) {
    return [
      'no-condition',
      `It reads all of ${name}: there is no condition and no order that an index could serve.`,
    ]
  }
  if ((largest?.table.pages ?? 0) <= SMALL_PAGES) {
    return [
      'small-table',
      `${name} has ${largest?.table.pages} pages: reading it whole is as quick as an index.`,
    ]
  }
  const used = demands
    .flatMap(({ source }) => placesOf(before, source.alias))
    .map(({ scan }) => scan['Index Name'] ?? scan.Plans?.[0]?.['Index Name'])
    .find((index) => index !== undefined)
  if (demands.some(findsOneRow) || used) {
    return [
      'indexed-already',
      `${used ? `The index ${used}` : 'A unique index'} serves it, and no other would be a third of the cost.`,
    ]
  }
  if (candidates === 0) {
    return ['not-selective', `None of its conditions on ${name} can be looked up in a B-tree.`]
  }
  return [
    'not-selective',
    `Its conditions leave too many of the rows of ${name}: reading through an index would cost as much.`,
  ]
}
