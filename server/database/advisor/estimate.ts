import { type Access, accessCost, type CostSettings } from './access'
import type { Candidate } from './candidates'
import type { PlanNode } from './planner'
import { type Use, usageOf } from './usage'

/**
 * What a statement would cost with an index that isn't there, from its plan and the statistics: PostgreSQL's own
 * formulas (src/backend/optimizer/path/costsize.c: cost_index, cost_bitmap_heap_scan, index_pages_fetched), with
 * the planner's estimates of rows.
 */

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

/** How the index would be used where the plan reads its table now. */
export function useIn(plan: PlanNode, candidate: Candidate): Use | null {
  const [place] = placesOf(plan, candidate.demand.source.alias)
  return usageOf(candidate, !(place && leads(place)))
}

/** Whether it is the outer side of a nested loop: the inner one may need its rows, so it can't come second. */
function leads({ scan, above }: Place): boolean {
  const at = above.findLastIndex((node) => /Join|Nested Loop/.test(node['Node Type']))
  const join = above[at]
  return join?.['Node Type'] === 'Nested Loop' && join.Plans?.[0] === (above[at + 1] ?? scan)
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
    options.push(replaced(total, place, read, use.ordered || candidate.demand.query.order.length === 0))
    const alone = candidate.demand.query.sources.length === 1
    if (use.ordered && alone) options.push(orderedCost(plan, candidate, access, settings, place))
  }
  return Math.max(0.01, Math.min(...options))
}

/**
 * The plan with another way to the rows: below a nested loop's inner side every loop gains. Under a limit all rows are
 * needed before the first, once they don't come `inOrder` any more.
 */
function replaced(total: number, { scan, above }: Place, read: number, inOrder: boolean): number {
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
    if (!inOrder) return total - limited['Total Cost'] + below['Total Cost'] - gain
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
