import { isEquality, type TableDemand } from './demands'
import { frequentShare, MANY_ROWS, rareShare } from './shares'
import type { Advice, IndexShape, Verdict } from './types'
import { usageOf } from './usage'

/**
 * Names, for each piece of advice, those that must be made before it: an index can tempt the planner to a way that
 * is slow for another statement, which it no longer takes once that statement's own index is there.
 * @param asked what the statement of a verdict asks of its tables.
 */
export function inSequence(
  advice: Advice[],
  asked: (verdict: Verdict) => readonly TableDemand[] | undefined,
): Advice[] {
  const after = new Map<string, string[]>()
  const leadsTo = (from: string, to: string): boolean =>
    from === to || (after.get(from) ?? []).some((next) => leadsTo(next, to))
  for (const { name, index } of advice) {
    const own = advice.filter(
      (other) =>
        other.name !== name &&
        !leadsTo(other.name, name) &&
        other.verdicts
          .flatMap((verdict) => asked(verdict) ?? [])
          .some((demand) => tempts(index, demand) && guards(other.index, index, demand)),
    )
    after.set(
      name,
      own.map((other) => other.name),
    )
  }
  const placed: Advice[] = []
  const place = (piece: Advice): void => {
    if (placed.some(({ name }) => name === piece.name)) return
    const names = after.get(piece.name) ?? []
    for (const first of advice.filter(({ name }) => names.includes(name))) place(first)
    placed.push({ ...piece, after: names })
  }
  for (const piece of advice) place(piece)
  return placed
}

const isOn = (index: IndexShape, { table }: TableDemand): boolean =>
  index.table === table.name && index.schema === table.schema

function tempts(index: IndexShape, demand: TableDemand): boolean {
  if (index.where !== null || !isOn(index, demand)) return false
  return skipsRows(index, demand) || isOpenRange(index, demand) || isReadWhole(index, demand)
}

/** Whether the other index finds rows by what this one leaves to skip by. */
function guards(other: IndexShape, index: IndexShape, demand: TableDemand): boolean {
  if (!isOn(other, demand)) return false
  const answered = usageOf({ shape: index, demand })?.conditions ?? []
  const use = usageOf({ shape: other, demand })
  return use !== null && (other.where !== null || use.conditions.some((each) => !answered.includes(each)))
}

/**
 * Whether the first rows of an order would be looked for in the index, with conditions left to skip by: for values
 * that few rows have it is read to its end. A range of it that is smaller than the table has pages does no harm.
 */
function skipsRows(index: IndexShape, demand: TableDemand): boolean {
  const { query, demands, table } = demand
  const use = usageOf({ shape: index, demand })
  if (!query.limited || !use?.ordered) return false
  const counted = demands.filter((each) => isEquality(each) || each.rows !== null)
  if (counted.every((each) => use.conditions.includes(each))) return false
  const range = use.conditions.reduce((rows, each) => rows * frequentShare(each, table.rows), table.rows)
  const matching = counted.reduce((rows, each) => rows * rareShare(each, table.rows), table.rows)
  return range > table.pages && matching < MANY_ROWS
}

/** Whether the index finds nothing but a range that nobody knows: planned for any values it is taken for a third. */
function isOpenRange(index: IndexShape, demand: TableDemand): boolean {
  const conditions = usageOf({ shape: index, demand })?.conditions ?? []
  return (
    conditions.length > 0 && conditions.every(({ kind, text }) => kind === 'range' && PARAMETER.test(text))
  )
}

/** $1, ?, :name or @name, but no cast. */
const PARAMETER = /\$\d|\?|(?<!:)[:@]\w/

/**
 * Whether the rows of another table would be looked up by a later key of the index alone: each look-up reads all of
 * it, which the planner takes for the lesser evil where it expects few.
 */
function isReadWhole({ keys }: IndexShape, { demands, table }: TableDemand): boolean {
  const [first, ...later] = keys
  if (demands.some(({ facts }) => facts.name === first?.name)) return false
  return demands.some(
    ({ kind, facts }) =>
      kind === 'join' &&
      later.some(({ name }) => name === facts.name) &&
      !table.indexes.some(
        (there) =>
          there.valid && there.where === null && there.method === 'btree' && there.keys[0] === facts.name,
      ),
  )
}
