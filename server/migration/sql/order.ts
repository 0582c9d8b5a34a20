import type { Expr, Select } from './ast'
import { Refusal } from './cursor'
import { orderKey, type Query } from './query'
import { translate } from './translate'
import type { Context, Scope, Typed } from './types'

type Output = { value: Expr | null; alias?: string }

/** What a number or an alias in ORDER BY or GROUP BY stands for; null for an expression of its own. */
export function resolveOrder(expr: Expr, outputs: readonly Output[], scope: Scope): Expr | null {
  const at = positionOf(expr, outputs, scope)
  return at === null ? null : (outputs[at]?.value ?? null)
}

function positionOf(expr: Expr, outputs: readonly Output[], scope?: Scope): number | null {
  if (expr.kind === 'number' && /^\d+$/.test(expr.text)) return Number(expr.text) - 1
  if (expr.kind !== 'name' || expr.table !== undefined) return null
  const lower = expr.name.toLowerCase()
  const at = outputs.findIndex(({ alias }) => alias?.toLowerCase() === lower)
  return at < 0 || scope?.find(expr.name) ? null : at
}

/** ORDER BY with SQLite's order of NULLs, and texts by their bytes. */
export function translateOrder(
  select: Select,
  core: Query & { context: Context; outputs: readonly Output[] },
): string {
  if (select.orderBy.length === 0) return ''
  const outputsOnly = select.compound.length > 0 || select.distinct
  const keys = select.orderBy.map(({ value, descending, nulls }) => {
    const at = positionOf(value, core.outputs) ?? (outputsOnly ? namedColumn(value, core.outputs) : null)
    const column = at === null ? undefined : core.columns[at]
    if (at !== null && !column) throw new Refusal('ORDER BY names a column that is not there.')
    if (outputsOnly && (!column || column.kind === 'text'))
      throw new Refusal('ORDER BY of a text, or of what is not shown, after UNION or DISTINCT.')
    const key = outputsOnly ? String((at as number) + 1) : orderKey(column ?? own(core.context, value))
    return `${key}${descending ? ' DESC' : ''} NULLS ${nulls ?? (descending ? 'LAST' : 'FIRST')}`
  })
  return ` ORDER BY ${keys.join(', ')}`
}

function namedColumn(expr: Expr, outputs: readonly Output[]): number | null {
  const same = JSON.stringify(expr)
  const at = outputs.findIndex(
    ({ value }) =>
      value !== null &&
      (JSON.stringify(value) === same ||
        (value.kind === 'name' &&
          expr.kind === 'name' &&
          value.name.toLowerCase() === expr.name.toLowerCase())),
  )
  return at < 0 ? null : at
}

function own(context: Context, expr: Expr): Typed {
  const value = translate(context, expr)
  if (value.literal !== undefined) throw new Refusal('ORDER BY a constant.')
  return value
}
