import type { SourceSchema, SourceTable } from '../source/source'
import type { NotCarried, PlannedTable, PlannedTrigger, PlannedView } from '../types'
import { openRelations, type Relations } from './relations'
import { planTriggers } from './triggers'
import { viewPlanner } from './views'

/** Views and triggers of the source that mean the same over the tables that are carried. */
export function planPrograms(
  { views, triggers }: Pick<SourceSchema, 'views' | 'triggers'>,
  tables: readonly { source: SourceTable; planned: PlannedTable }[],
  deps: {
    schema: string
    name(wanted: string): string
    /** In lower case. */
    leftOut: ReadonlySet<string>
    report(item: NotCarried): void
  },
): { views: PlannedView[]; triggers: PlannedTrigger[] } {
  const planner = viewPlanner(views, () => relations, deps)
  const relations: Relations = openRelations(tables, deps.schema, planner.plan)
  for (const view of views) planner.plan(view.name)
  return { views: planner.views, triggers: planTriggers(triggers, relations, deps) }
}
