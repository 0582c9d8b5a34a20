import type { Candidate } from './candidates'
import type { Demand, TableDemand } from './demands'
import { isEquality } from './demands'
import type { PlanNode } from './planner'
import { indexBytes } from './size'
import type { ColumnFacts } from './types'

/**
 * What a statement would cost with an index that isn't there, from its plan and the statistics: PostgreSQL's own
 * formulas (src/backend/optimizer/path/costsize.c: cost_index, cost_bitmap_heap_scan, index_pages_fetched), with
 * the planner's estimates of rows.
 */

/** With this many values or fewer, a column's correlation says nothing about the rows of one value. */
const FEW_VALUES = 50

export interface CostSettings {
  seqPage: number
  randomPage: number
  cpuTuple: number
  cpuIndexTuple: number
  cpuOperator: number
  cachePages: number
}

export interface Access {
  /** Rows that the index finds, before the other conditions. */
  found: number
  /** Rows that the index holds: fewer than the table's in a partial one. */
  held: number
}

/** How an index would be used: which conditions it answers, and whether its order is the one asked for. */
export interface Use {
  conditions: Demand[]
  /** Of them those that another table's column gives: each of its rows is one look-up. */
  joined: boolean
  ordered: boolean
}

/** Walks the keys: equalities, then one range; then tells whether the rest is the order asked for. Null: no use. */
export function usageOf({ shape, demand }: Candidate): Use | null {
  const conditions: Demand[] = []
  let at = 0
  const keyed = (key: (typeof shape.keys)[number]): Demand | undefined =>
    demand.demands.find((each) =>
      key.expression
        ? each.expression === key.name && (each.kind === 'equal' || each.kind === 'in')
        : !each.expression &&
          each.facts.name === key.name &&
          (isEquality(each) || each.kind === 'join' || each.kind === 'null'),
    )
  let lists = false
  for (; at < shape.keys.length; at++) {
    const found = keyed(shape.keys[at] as (typeof shape.keys)[number])
    if (!found) break
    lists ||= found.kind === 'in'
    conditions.push(found)
  }
  const next = shape.keys[at]
  const ranges = demand.demands.filter(
    ({ kind, facts, expression }) =>
      (kind === 'range' || kind === 'prefix') && !expression && facts.name === next?.name,
  )
  const order = demand.order.filter(({ name }) => !conditions.some(({ facts }) => facts.name === name))
  const rest = shape.keys.slice(at)
  // Values of a list come one after the other: their rows are not in order.
  const ordered =
    demand.order.length > 0 &&
    !lists &&
    order.length <= rest.length &&
    order.every(({ name }, position) => rest[position]?.name === name && !rest[position]?.operators) &&
    sameDirection(order, rest)
  conditions.push(...ranges)
  if (conditions.length === 0 && !ordered && shape.where === null) return null
  return { conditions, joined: conditions.some(({ kind }) => kind === 'join'), ordered }
}

function sameDirection(order: TableDemand['order'], keys: Candidate['shape']['keys']): boolean {
  const turned = order.map(({ descending }, at) => descending !== Boolean(keys[at]?.descending))
  return turned.every((each) => each === turned[0])
}

/** Cost of one read through the index; `lookups` of them share what is cached. */
export function accessCost(
  { shape, demand }: Candidate,
  { found, held }: Access,
  settings: CostSettings,
  { bitmap, lookups = 1, conditions = 1 }: { bitmap: boolean; lookups?: number; conditions?: number },
): number {
  const { table } = demand
  const size = indexBytes(shape, table, held) / 8192
  const share = Math.min(1, found / Math.max(1, held))
  const leaves = Math.max(1, Math.ceil(size * share))
  const height = Math.max(1, Math.ceil(Math.log(Math.max(2, size)) / Math.log(200)))
  const descent =
    Math.ceil(Math.log2(Math.max(2, held))) * settings.cpuOperator + (height + 1) * 50 * settings.cpuOperator
  const inIndex =
    pagesCost(leaves, size, lookups, settings) +
    descent +
    found * (settings.cpuIndexTuple + conditions * settings.cpuOperator)
  const heap = covers({ shape, demand }) ? 1 - table.visibleShare : 1
  const perRow = found * (settings.cpuTuple + settings.cpuOperator)
  const pages = Math.max(1, table.pages)
  const scattered = pagesFetched(found * lookups, pages, settings) / lookups
  const random = scattered * settings.randomPage
  const together = Math.ceil(Math.min(1, found / Math.max(1, table.rows)) * pages)
  const sequential = settings.randomPage + Math.max(0, together - 1) * settings.seqPage
  const [first] = shape.keys
  const correlation = correlationOf(table.columns.get(first?.name ?? '')) * (shape.keys.length > 1 ? 0.75 : 1)
  const plain =
    inIndex + (random + correlation ** 2 * (Math.min(random, sequential) - random)) * heap + perRow
  if (!bitmap) return plain
  // A page is dearer the fewer of them are read, and a bitmap costs an operator a row.
  const fetched = Math.min(pages, scattered)
  const perPage = settings.randomPage - (settings.randomPage - settings.seqPage) * Math.sqrt(fetched / pages)
  const mapped = inIndex + found * 0.1 * settings.cpuOperator + fetched * perPage + perRow
  return heap < 1 ? plain : Math.min(plain, mapped)
}

/** A column of few values seems sorted when one of them fills the table; the rows of another lie anywhere all the same. */
function correlationOf(facts: ColumnFacts | undefined): number {
  return facts && (facts.distinct ?? 0) > FEW_VALUES ? facts.correlation : 0
}

function pagesCost(leaves: number, size: number, lookups: number, settings: CostSettings): number {
  if (lookups <= 1) return leaves * settings.randomPage
  return (pagesFetched(leaves * lookups, Math.max(1, size), settings) * settings.randomPage) / lookups
}

/** Mackert and Lohman's estimate of different pages among `tuples` random reads. */
function pagesFetched(tuples: number, pages: number, { cachePages }: CostSettings): number {
  const cached = Math.max(1, cachePages)
  if (pages <= cached) return Math.min(pages, Math.ceil((2 * pages * tuples) / (2 * pages + tuples)))
  const limit = (2 * pages * cached) / (2 * pages - cached)
  if (tuples <= limit) return Math.ceil((2 * pages * tuples) / (2 * pages + tuples))
  return Math.ceil(cached + ((tuples - limit) * (pages - cached)) / pages)
}

/** Whether the index holds every column that the query reads of the table. */
export function covers({ shape, demand }: Candidate): boolean {
  if (!demand.columns) return false
  const held = new Set([
    ...shape.keys.filter(({ expression }) => !expression).map(({ name }) => name),
    ...shape.include,
  ])
  return demand.columns.every((name) => held.has(name))
}

export interface Place {
  scan: PlanNode
  /** From the top down to the scan's parent. */
  above: PlanNode[]
}

/** Where the plan reads the table under this name; the dearest place when there are several. */
export function placesOf(plan: PlanNode, alias: string): Place[] {
  const found: Place[] = []
  const walk = (node: PlanNode, above: PlanNode[]): void => {
    // A bitmap's index scan has no name of its own; a change of rows has, but reads through its child.
    if (node.Alias === alias && node['Node Type'] !== 'ModifyTable') found.push({ scan: node, above })
    for (const child of node.Plans ?? []) walk(child, [...above, node])
  }
  walk(plan, [])
  return found.sort((a, b) => b.scan['Total Cost'] - a.scan['Total Cost'])
}

/** The whole statement's cost with the index in use. */
export function statementCost(
  plan: PlanNode,
  candidate: Candidate,
  use: Use,
  access: Access,
  settings: CostSettings,
): number {
  const [place] = placesOf(plan, candidate.demand.source.alias)
  if (!place) return plan['Total Cost']
  const options = [plan['Total Cost']]
  const { scan, above } = place
  const total = plan['Total Cost']
  const count = { conditions: use.conditions.length }
  if (use.joined) {
    const at = above.findLastIndex((node) => /Join|Nested Loop/.test(node['Node Type']))
    const join = above[at]
    const side = at + 1 < above.length ? above[at + 1] : scan
    const other = join?.Plans?.find((child) => child !== side)
    // The inner side of a nested loop may need this table's rows to look its own up: it cannot come first.
    const leads = join?.['Node Type'] === 'Nested Loop' && join.Plans?.[0] === side
    if (leads) return total
    if (join && other) {
      const lookups = Math.max(1, other['Plan Rows'])
      const each = accessCost(candidate, access, settings, { bitmap: true, lookups, ...count })
      options.push(total - join['Total Cost'] + other['Total Cost'] + lookups * each)
    } else {
      // A subquery that is run for each row around it: one look-up stands for one scan.
      const each = accessCost(candidate, access, settings, { bitmap: true, ...count })
      options.push((total * each) / Math.max(each, scan['Total Cost']))
    }
  } else {
    const read = accessCost(candidate, access, settings, { bitmap: true, ...count })
    options.push(replaced(total, place, read))
    const alone = candidate.demand.query.sources.length === 1
    if (use.ordered && alone) options.push(orderedCost(plan, candidate, access, settings, place))
  }
  return Math.max(0.01, Math.min(...options))
}

/** The plan with another way to the rows: below a nested loop's inner side every loop gains. */
function replaced(total: number, { scan, above }: Place, read: number): number {
  const path = [...above, scan]
  let loops = 1
  for (let at = 0; at < above.length; at++) {
    const node = above[at] as PlanNode
    const inner = node['Node Type'] === 'Nested Loop' && node.Plans?.[1] === path[at + 1]
    if (inner && node.Plans?.[1]?.['Node Type'] !== 'Materialize')
      loops *= Math.max(1, node.Plans?.[0]?.['Plan Rows'] ?? 1)
  }
  const limited = above.find((node) => node['Node Type'] === 'Limit')
  const below = limited?.Plans?.[0]
  const gain = (scan['Total Cost'] - read) * loops
  // Under a LIMIT without a sort only the share that is needed is read, now as then.
  if (limited && below && !above.some((node) => /Sort/.test(node['Node Type']))) {
    const share = Math.min(1, limited['Plan Rows'] / Math.max(1, below['Plan Rows']))
    return total - gain * share
  }
  return total - gain
}

/** Rows come in order: no sort, and under a LIMIT only the first of them are read. */
function orderedCost(
  plan: PlanNode,
  candidate: Candidate,
  access: Access,
  settings: CostSettings,
  { scan, above }: Place,
): number {
  const read = accessCost(candidate, access, settings, { bitmap: false })
  const limit = above.find((node) => node['Node Type'] === 'Limit')
  const sort = above.find((node) => /Sort/.test(node['Node Type']))
  const matching = Math.max(1, scan['Plan Rows'])
  const extreme =
    !sort && candidate.demand.query.limited && above.some((node) => node['Node Type'] === 'Aggregate')
  if (extreme) return read / matching + 1
  const wanted = limit ? limit['Plan Rows'] : matching
  const saved = sort ? sort['Total Cost'] : scan['Total Cost']
  const rest = Math.max(0, plan['Total Cost'] - (limit && sort ? limit['Total Cost'] : saved))
  return rest + read * Math.min(1, wanted / matching)
}
