import type { Statement } from '@/components/database/types'
import type { Sort } from '@/components/ui/table'

export const kindOrder = ['read', 'write', 'other'] as const
export type StatementKind = (typeof kindOrder)[number]

export interface StatementFilter {
  text: string
  kind: StatementKind | null
}

/** Whether a statement reads rows or writes them; what does neither, such as BEGIN, is `other`. */
export function kindOf(text: string): StatementKind {
  const first = /^[\s(]*([a-z]+)/i.exec(text)?.[1]?.toLowerCase() ?? ''
  if (/^(?:insert|update|delete|merge|replace|copy|truncate)$/.test(first)) return 'write'
  if (first === 'with')
    return /\b(?:insert into|update|delete from|merge into)\b/i.test(text) ? 'write' : 'read'
  return /^(?:select|values|table)$/.test(first) ? 'read' : 'other'
}

/** Whether a statement passes the filter; the text is looked for in the statement, whatever its case. */
export function passes({ text, kind }: StatementFilter, statement: Statement): boolean {
  const wanted = text.trim().toLowerCase()
  return (
    (kind === null || kindOf(statement.text) === kind) &&
    (wanted === '' || statement.text.toLowerCase().includes(wanted))
  )
}

const figures: Record<string, (statement: Statement) => number | null> = {
  total: ({ totalMs }) => totalMs,
  calls: ({ calls }) => calls,
  mean: ({ meanMs }) => meanMs,
  max: ({ maxMs }) => maxMs,
  rows: ({ rows }) => rows,
  errors: ({ errors }) => errors,
  cache: ({ cacheHitRatio }) => cacheHitRatio,
}

/** Statements in the asked order, by total time unless another is known; what has no such figure comes last. */
export function sorted(statements: readonly Statement[], { by, direction }: Sort): Statement[] {
  const figure = (Object.hasOwn(figures, by) && figures[by]) || (({ totalMs }: Statement) => totalMs)
  const sign = direction === 'desc' ? -1 : 1
  return [...statements].sort((a, b) => {
    const [one, other] = [figure(a), figure(b)]
    if (one === null || other === null) return Number(one === null) - Number(other === null)
    return sign * (one - other) || b.totalMs - a.totalMs
  })
}
