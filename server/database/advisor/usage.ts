import type { Candidate } from './candidates'
import { type Demand, isEquality, type TableDemand, withoutAlias } from './demands'

/** Rows with the same value that are sorted in no time. */
const FEW_EQUAL = 4

/** How an index would be used: which conditions it answers, and whether its order is the one asked for. */
export interface Use {
  conditions: Demand[]
  /** Of them those that another table's column gives: each of its rows is one look-up. */
  joined: boolean
  ordered: boolean
}

/**
 * Walks the keys: equalities, then one range; then tells whether the rest is the order asked for. Null: no use.
 * @param lookups false where another table's rows can't be known before: then a join is no condition.
 */
export function usageOf({ shape, demand }: Candidate, lookups = true): Use | null {
  const conditions: Demand[] = []
  let at = 0
  const keyed = (key: (typeof shape.keys)[number]): Demand | undefined =>
    demand.demands.find((each) =>
      key.expression
        ? each.expression === key.name && (each.kind === 'equal' || each.kind === 'in')
        : !each.expression &&
          each.facts.name === key.name &&
          (isEquality(each) || (lookups && each.kind === 'join') || each.kind === 'null'),
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
  const order = decisive(demand).filter(({ name }) => !conditions.some(({ facts }) => facts.name === name))
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

/**
 * The columns of the order up to one of which nearly every value is another's row: those after it only sort the
 * few that are equal, which both databases do group by group.
 */
function decisive({ order, table }: TableDemand): TableDemand['order'] {
  const last = order.findIndex(
    ({ name }) => (table.columns.get(name)?.distinct ?? 0) * FEW_EQUAL >= Math.max(1, table.rows),
  )
  return last < 0 ? order : order.slice(0, last + 1)
}

function sameDirection(order: TableDemand['order'], keys: Candidate['shape']['keys']): boolean {
  const turned = order.map(({ descending }, at) => descending !== Boolean(keys[at]?.descending))
  return turned.every((each) => each === turned[0])
}

/** The condition of a partial index, as the query asks it. */
export function partOf({ shape, demand }: Candidate): Demand | undefined {
  return demand.demands.find(({ text }) => withoutAlias(text, demand.source.alias) === shape.where)
}

/**
 * Columns that the query reads of the table and that the keys don't hold; null when it reads all. What a partial
 * index is a part by holds for each of its rows: nobody reads that column, unless it is named elsewhere.
 */
export function columnsBeside(candidate: Candidate): string[] | null {
  const { shape, demand } = candidate
  const keys = new Set(shape.keys.filter(({ expression }) => !expression).map(({ name }) => name))
  const part = partOf(candidate)?.facts.name
  const known = part !== undefined && demand.once.has(part) ? part : undefined
  return demand.columns?.filter((name) => !keys.has(name) && name !== known) ?? null
}

/** Whether the index holds every column that the query reads of the table. */
export function covers(candidate: Candidate): boolean {
  return columnsBeside(candidate)?.every((name) => candidate.shape.include.includes(name)) ?? false
}
