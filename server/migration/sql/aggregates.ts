import type { Expr } from './ast'
import { Refusal } from './cursor'
import { asNumber, asText, type Context, type Typed } from './types'

type Call = Extract<Expr, { kind: 'call' }>

/** Functions over the rows of a group (https://www.sqlite.org/lang_aggfunc.html); null for others. */
export function translateAggregate(context: Context, call: Call, one: (expr: Expr) => Typed): Typed | null {
  const { name, args } = call
  const aggregate =
    /^(count|sum|total|avg|group_concat|string_agg)$/.test(name) ||
    (/^(min|max)$/.test(name) && args.length === 1)
  if (!aggregate) return null
  if (!context.aggregates) throw new Refusal(`The aggregate ${name}() stands where it is not known.`)
  if (name === 'count' && args.length === 0) return { sql: 'count(*)', kind: 'integer', atLeast: 0 }
  const value = one(args[0] as Expr)
  const distinct = call.distinct ? 'DISTINCT ' : ''
  if (distinct && value.collation) throw new Refusal(`DISTINCT under the collation ${value.collation}.`)
  switch (name) {
    case 'count':
      return { sql: `count(${distinct}${value.sql})`, kind: 'integer', atLeast: 0 }
    case 'sum':
      return asNumber(value).kind === 'integer'
        ? { sql: `sum(${distinct}${asNumber(value).sql})::bigint`, kind: 'integer' }
        : { sql: `sum(${distinct}${asNumber(value).sql})`, kind: 'real' }
    case 'total':
      return { sql: `COALESCE(sum(${distinct}${double(value)}), 0)`, kind: 'real' }
    case 'avg':
      return { sql: `avg(${distinct}${double(value)})`, kind: 'real' }
    case 'min':
    case 'max':
      return extreme(name, value)
    default: {
      const separator = args[1] ? asText(context, one(args[1])).sql : `','`
      return { sql: `string_agg(${distinct}${asText(context, value).sql}, ${separator})`, kind: 'text' }
    }
  }
}

const double = (value: Typed) => `(${asNumber(value).sql})::double precision`

function extreme(name: string, value: Typed): Typed {
  const { literal: _, affinity: __, ...rest } = value
  if (value.collation) throw new Refusal(`${name}() under the collation ${value.collation}.`)
  if (value.kind === 'boolean') return { ...asNumber(value), sql: `${name}(${asNumber(value).sql})` }
  if (value.kind === 'bytes' || value.kind === 'other') throw new Refusal(`${name}() of such values.`)
  return { ...rest, sql: `${name}(${value.sql}${value.kind === 'text' ? ' COLLATE "C"' : ''})` }
}
