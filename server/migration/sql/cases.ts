import { affinityOf } from '../plan/mapping'
import type { Expr } from './ast'
import { compare } from './compare'
import { Refusal } from './cursor'
import { asCondition, asNumber, asText, type Context, type Typed } from './types'
import { unify } from './unify'

export function translateCase(
  context: Context,
  expr: Extract<Expr, { kind: 'case' }>,
  one: (expr: Expr) => Typed,
): Typed {
  const operand = expr.operand ? one(expr.operand) : undefined
  const conditions = expr.branches.map(({ when }) => {
    const value = one(when)
    return operand ? compare(context, '=', operand, value).sql : asCondition(value)
  })
  const results = expr.branches.map(({ result }) => one(result))
  if (expr.otherwise) results.push(one(expr.otherwise))
  const { kind, items, shape } = unify(context, results)
  const branches = conditions.map((condition, i) => `WHEN ${condition} THEN ${items[i]?.sql}`)
  const otherwise = expr.otherwise ? ` ELSE ${items.at(-1)?.sql}` : ''
  return {
    sql: `(CASE ${branches.join(' ')}${otherwise} END)`,
    kind,
    ...(shape && { shape, zone: items[0]?.zone }),
  }
}

export function translateCast(context: Context, value: Typed, type: string): Typed {
  const affinity = affinityOf(type)
  const as = (sql: string, kind: Typed['kind']): Typed => ({ sql, kind, affinity })
  if (affinity === 'TEXT') return { ...asText(context, value), literal: undefined, affinity }
  if (affinity === 'INTEGER' || affinity === 'NUMERIC') {
    if (value.whole !== undefined) return as(value.whole, 'integer')
    if (value.kind === 'integer') return { ...value, literal: undefined, affinity }
    if (value.kind === 'boolean') return { ...asNumber(value), affinity }
    if (affinity === 'INTEGER' && (value.kind === 'real' || value.kind === 'numeric'))
      return as(`trunc(${value.sql})::bigint`, 'integer')
  }
  if (affinity === 'REAL' && (value.kind === 'integer' || value.kind === 'real' || value.kind === 'numeric'))
    return as(`(${value.sql})::double precision`, 'real')
  throw new Refusal(`CAST of such a value as ${type}.`)
}
