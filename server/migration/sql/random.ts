import type { Expr } from './ast'
import { Refusal } from './cursor'
import type { Context, Typed } from './types'

/** The last 12 digits of a random UUID (version 4) are random throughout, and by a generator fit for secrets. */
const DIGITS = `right(gen_random_uuid()::text, 12)`

/** random() and randomblob(n), the latter alone or in hex(). */
export function translateRandom(context: Context, call: Extract<Expr, { kind: 'call' }>): Typed | null {
  if (call.name === 'random' && call.args.length === 0) {
    context.stable = true
    return { sql: `('x' || ${DIGITS} || left(${DIGITS}, 4))::bit(64)::bigint`, kind: 'integer' }
  }
  if (call.name === 'randomblob') return { sql: `decode(${randomHex(context, call)}, 'hex')`, kind: 'bytes' }
  const inner = call.args[0]
  if (call.name === 'hex' && inner?.kind === 'call' && inner.name === 'randomblob')
    return { sql: `upper(${randomHex(context, inner)})`, kind: 'text' }
  return null
}

function randomHex(context: Context, call: Extract<Expr, { kind: 'call' }>): string {
  const size = call.args[0]
  const bytes = size?.kind === 'number' ? Number(size.text) : Number.NaN
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > 60) throw new Refusal('randomblob() of such a size.')
  context.stable = true
  const whole = Array.from({ length: Math.floor(bytes / 6) }, () => DIGITS)
  const rest = (bytes % 6) * 2
  return [...whole, ...(rest > 0 ? [`right(gen_random_uuid()::text, ${rest})`] : [])].join(' || ')
}
