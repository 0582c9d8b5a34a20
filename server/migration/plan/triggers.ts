import type { SourceTrigger } from '../source/programs'
import { parseTrigger, type Trigger } from '../sql/parse-trigger'
import { attempt } from '../sql/translate'
import { translateTrigger } from '../sql/trigger'
import { qualified } from '../target/ddl'
import type { NotCarried, PlannedTrigger } from '../types'
import { namer } from './names'
import type { Relations } from './relations'

/** Translates triggers to triggers of PostgreSQL that do the same to the same rows. */
export function planTriggers(
  sources: readonly SourceTrigger[],
  relations: Relations,
  deps: { schema: string; leftOut: ReadonlySet<string>; report(item: NotCarried): void },
): PlannedTrigger[] {
  const name = namer()
  const fired = new Set(sources.map((trigger) => trigger.table.toLowerCase()))
  return sources.flatMap(({ name: source, table, sql }) => {
    const target = name(source)
    const made = deps.leftOut.has(source.toLowerCase())
      ? { reason: 'Left out by choice.' }
      : attempt(() => {
          const trigger = parseTrigger(sql)
          const names = {
            name: target,
            function: qualified(deps.schema, target),
            guarded: writesTo(trigger, fired),
          }
          return { sql: translateTrigger(relations, trigger, names) }
        })
    if ('reason' in made) {
      deps.report({ kind: 'trigger', name: source, reason: made.reason, sql })
      return []
    }
    return [{ name: source, target, table, sql, targetSql: made.sql }]
  })
}

function writesTo({ body }: Trigger, tables: ReadonlySet<string>): boolean {
  return body.some((statement) => statement.kind !== 'select' && tables.has(statement.table.toLowerCase()))
}
