import type { Expr } from './ast'
import type { Entry } from './query'
import type { Scope } from './types'

const isAggregate = (expr: Expr): boolean =>
  expr.kind === 'call' &&
  (/^(count|sum|total|avg|group_concat|string_agg)$/.test(expr.name) ||
    (/^(min|max)$/.test(expr.name) && expr.args.length === 1))

/** Expressions directly within one. */
function parts(expr: Expr): Expr[] {
  switch (expr.kind) {
    case 'unary':
    case 'cast':
    case 'collate':
      return [expr.operand]
    case 'binary':
      return [expr.left, expr.right]
    case 'between':
      return [expr.operand, expr.low, expr.high]
    case 'in':
      return [expr.operand, ...expr.items]
    case 'inQuery':
      return [expr.operand]
    case 'like':
      return [expr.operand, expr.pattern]
    case 'case':
      return [
        ...(expr.operand ? [expr.operand] : []),
        ...expr.branches.flatMap(({ when, result }) => [when, result]),
        ...(expr.otherwise ? [expr.otherwise] : []),
      ]
    case 'call':
      return expr.args
    default:
      return []
  }
}

export function usesAggregate(expr: Expr): boolean {
  return isAggregate(expr) || parts(expr).some(usesAggregate)
}

/** Tells whether an expression has one value in each group: it is grouped by, aggregated, or decided by a table's key. */
export function isGrouped(
  groups: readonly Expr[],
  entries: readonly Entry[],
  scope: Scope,
): (expr: Expr) => boolean {
  const sqlOf = (expr: Expr) => (expr.kind === 'name' ? scope.find(expr.name, expr.table)?.sql : undefined)
  const keys = groups.map((group) => sqlOf(group) ?? JSON.stringify(group))
  const decided = entries.filter(({ relation, columns }) => {
    const key = relation.key.map((name) => columns.find((column) => column.source === name)?.sql ?? '')
    return key.length > 0 && key.every((sql) => keys.includes(sql))
  })
  const known = (expr: Expr): boolean => {
    if (isAggregate(expr) || keys.includes(sqlOf(expr) ?? JSON.stringify(expr))) return true
    if (expr.kind === 'query' || expr.kind === 'exists' || expr.kind === 'inQuery') return false
    if (expr.kind !== 'name') return parts(expr).every(known)
    const sql = sqlOf(expr)
    return sql === undefined || decided.some(({ columns }) => columns.some((column) => column.sql === sql))
  }
  return known
}
