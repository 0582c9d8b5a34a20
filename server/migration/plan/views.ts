import type { SourceView } from '../source/programs'
import { openCursor, Refusal, readName } from '../sql/cursor'
import { parseSelect } from '../sql/parse-select'
import { translateSelect } from '../sql/query'
import { attempt } from '../sql/translate'
import { qualified } from '../target/ddl'
import type { NotCarried, PlannedView } from '../types'
import { quoteIdentifier } from './names'
import { type Relations, viewRelation } from './relations'

export interface ViewPlanner {
  /** Views in the order in which they can be made. */
  views: PlannedView[]
  /** Translates a view, unless it was already. */
  plan(name: string): void
}

/** Translates views to views of PostgreSQL that give the same rows, each after those that it selects from. */
export function viewPlanner(
  sources: readonly SourceView[],
  relations: () => Relations,
  deps: {
    schema: string
    name(wanted: string): string
    leftOut: ReadonlySet<string>
    report(item: NotCarried): void
  },
): ViewPlanner {
  const begun = new Set<string>()
  const planner: ViewPlanner = {
    views: [],
    plan(name) {
      const lower = name.toLowerCase()
      const source = sources.find((view) => view.name.toLowerCase() === lower)
      if (!source || begun.has(lower)) return
      begun.add(lower)
      const made = deps.leftOut.has(lower)
        ? { reason: 'Left out by choice.' }
        : attempt(() => translateView(source, relations()))
      if ('reason' in made) {
        deps.report({ kind: 'view', name: source.name, reason: made.reason, sql: source.sql })
        return
      }
      const target = deps.name(source.name)
      const columns = source.columns.map(quoteIdentifier).join(', ')
      const targetSql = `CREATE VIEW ${qualified(deps.schema, target)} (${columns}) AS ${made.sql}`
      planner.views.push({ name: source.name, target, columns: source.columns, sql: source.sql, targetSql })
      relations().add(source.name, viewRelation(deps.schema, target, source.columns, made.columns))
    },
  }
  return planner
}

function translateView(view: SourceView, relations: Relations) {
  if (view.problem !== undefined) throw new Refusal(`SQLite can't read it: ${view.problem}.`)
  const cursor = openCursor(view.sql)
  while (!cursor.words('VIEW')) cursor.next()
  cursor.words('IF', 'NOT', 'EXISTS')
  readName(cursor)
  if (cursor.symbol('.')) readName(cursor)
  while (!cursor.words('AS')) cursor.next()
  const select = parseSelect(cursor)
  cursor.symbol(';')
  cursor.end()
  const found = translateSelect(relations, select)
  const names = new Set(view.columns)
  if (found.columns.length !== view.columns.length || names.size !== view.columns.length)
    throw new Refusal('Its columns are not those that SQLite shows.')
  return found
}
