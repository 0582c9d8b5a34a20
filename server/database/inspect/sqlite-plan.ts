import type BetterSqlite3 from 'better-sqlite3'
import { tokenise } from '../advisor/tokens'
import { marked } from './mark'
import type { StatementPlan } from './types'

const PLANNED = /^(select|insert|update|delete|replace|values|with)\b/i

/** How SQLite would run a normalised statement. It is prepared and not run, which takes microseconds. */
export function planSqlite(client: BetterSqlite3.Database, normalised: string): StatementPlan {
  if (!PLANNED.test(normalised)) {
    return {
      plan: null,
      because: 'SQLite plans only queries and changes of rows: there is no plan for this command.',
    }
  }
  const { text, parameters } = withMarks(normalised)
  try {
    // A schema that another connection changed is noticed by what runs, and EXPLAIN runs nothing.
    client.prepare(marked('SELECT 1 FROM sqlite_schema LIMIT 1')).get()
    const steps = client
      .prepare(marked(`EXPLAIN QUERY PLAN ${text}`))
      .all(Array.from({ length: parameters }, () => null)) as Step[]
    return steps.length > 0
      ? { plan: lines(steps, 0).join('\n'), because: null }
      : { plan: null, because: 'It goes through no table: there is nothing to plan.' }
  } catch {
    return {
      plan: null,
      because: 'SQLite cannot prepare it by itself any more: its tables have changed, or its text was cut.',
    }
  }
}

interface Step {
  id: number
  parent: number
  detail: string
}

function lines(steps: readonly Step[], parent: number, depth = 0): string[] {
  return steps
    .filter((step) => step.parent === parent)
    .flatMap(({ id, detail }) => [`${'  '.repeat(depth)}${detail}`, ...lines(steps, id, depth + 1)])
}

/** `?` for $1, which SQLite would take for a name. */
function withMarks(text: string): { text: string; parameters: number } {
  const marks = tokenise(text).filter(({ kind }) => kind === 'param')
  return {
    text: marks.reduceRight((sql, { start, end }) => `${sql.slice(0, start)}?${sql.slice(end)}`, text),
    parameters: marks.length,
  }
}
