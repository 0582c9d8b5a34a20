import { demandsOf, isEquality, type TableDemand } from './demands'
import { withCasts } from './normalise'
import { readStatement } from './statement'
import type { Advice, IndexShape, TableFacts, WorkStatement } from './types'
import { usageOf } from './usage'

/**
 * Names, for each piece of advice, those that must be made before it. An index in the order that a limited
 * statement asks for tempts the planner to go through it and skip rows, which is slow for rare values; once the
 * statement's own index is there it takes that one.
 */
export function inSequence(advice: Advice[], tables: readonly TableFacts[]): Advice[] {
  const asked = new Map(
    advice.map(({ name, verdicts }) => [
      name,
      verdicts.flatMap(({ statement }) => demandsIn(statement, tables)),
    ]),
  )
  const after = new Map<string, string[]>()
  const leadsTo = (from: string, to: string): boolean =>
    from === to || (after.get(from) ?? []).some((next) => leadsTo(next, to))
  for (const { name, index } of advice) {
    const own = advice.filter(
      (other) =>
        other.name !== name &&
        !leadsTo(other.name, name) &&
        asked.get(other.name)?.some((demand) => tempts(index, demand)),
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

function demandsIn({ text }: WorkStatement, tables: readonly TableFacts[]): TableDemand[] {
  return readStatement(withCasts(text)).queries.flatMap((query) => {
    const known = query.sources.flatMap((source) => {
      const facts = tables.find(
        ({ schema, name }) => name === source.table && (source.schema ?? schema) === schema,
      )
      return facts ? [[source, facts] as const] : []
    })
    return demandsOf(query, new Map(known))
  })
}

/** Whether rows would come from the index in the order asked for, with conditions left to skip by. */
function tempts(index: IndexShape, demand: TableDemand): boolean {
  const { query, table, demands } = demand
  if (!query.limited || index.where !== null) return false
  if (index.table !== table.name || index.schema !== table.schema) return false
  const use = usageOf({ shape: index, demand })
  if (!use?.ordered) return false
  return demands.some((each) => isEquality(each) && !use.conditions.includes(each))
}
