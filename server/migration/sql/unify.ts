import { quoteLiteral } from '../plan/names'
import { shapeOf } from '../source/evidence'
import { Refusal } from './cursor'
import { asNumber, asText, type Context, type Kind, type Typed } from './types'

/** Several results of one expression, like the branches of a CASE, in the one kind that PostgreSQL asks for. */
export function unify(
  context: Context,
  values: readonly Typed[],
): { kind: Kind; items: Typed[]; shape?: Typed['shape'] } {
  const kinds = new Set(values.map((value) => value.kind))
  kinds.delete('null')
  const first = values.find((value) => value.kind !== 'null')
  if (!first) return { kind: 'null', items: [...values] }
  if (kinds.size === 1 && first.kind !== 'other') {
    const alike = values.every(
      (value) =>
        value.kind === 'null' || (value.shape === first.shape && Boolean(value.zone) === Boolean(first.zone)),
    )
    if (alike) return { kind: first.kind, items: [...values], ...(first.shape && { shape: first.shape }) }
    return { kind: 'text', items: values.map((value) => asText(context, value)) }
  }
  const only = (...allowed: Kind[]) => [...kinds].every((kind) => allowed.includes(kind))
  if (only('boolean', 'integer')) {
    const bits = values.every(
      (value) => value.kind !== 'integer' || value.literal === '0' || value.literal === '1',
    )
    return bits
      ? { kind: 'boolean', items: values.map(asBit) }
      : { kind: 'integer', items: values.map(number) }
  }
  if (only('integer', 'numeric')) return { kind: 'numeric', items: [...values] }
  if (only('integer', 'real', 'numeric')) {
    const items = values.map((value) =>
      value.kind === 'null' || value.kind === 'real'
        ? value
        : { ...value, sql: `(${value.sql})::double precision` },
    )
    return { kind: 'real', items }
  }
  if (only('time', 'text')) return unifyTimes(context, values)
  throw new Refusal('The result is a text in one case and a number in another.')
}

const number = (value: Typed) => (value.kind === 'null' ? value : asNumber(value))

function asBit(value: Typed): Typed {
  return value.kind === 'integer' ? { sql: value.literal === '1' ? 'true' : 'false', kind: 'boolean' } : value
}

function unifyTimes(context: Context, values: readonly Typed[]) {
  const time = values.find((value) => value.kind === 'time') as Typed
  const type = time.shape === 'date' ? 'date' : time.zone ? 'timestamptz' : 'timestamp'
  const fits = (value: Typed) =>
    value.kind === 'null' ||
    (value.kind === 'time' && value.shape === time.shape && Boolean(value.zone) === Boolean(time.zone)) ||
    (value.literal !== undefined && shapeOf(value.literal) === time.shape)
  if (!values.every(fits))
    return { kind: 'text' as const, items: values.map((value) => asText(context, value)) }
  const items = values.map((value) =>
    value.kind === 'text' ? { ...value, sql: `${quoteLiteral(value.literal as string)}::${type}` } : value,
  )
  return { kind: 'time' as const, items, ...(time.shape && { shape: time.shape }) }
}
