import fc from 'fast-check'
import { type Break, breaks } from './broken'
import { type Operation, type Role, roles } from './document'
import type { Known } from './known'
import { misfit } from './misfits'
import { noHttp } from './no-http'
import { type Asked, overRest, overTrpc } from './requests'
import type { Tally } from './tally'
import { valid } from './values'
import type { Wire } from './wire'

/** One request to come, and who sends it. */
export type Turn =
  | { kind: 'valid' | 'misfit'; role: Role; over: 'REST' | 'tRPC'; more: boolean; asked: Asked }
  | { kind: 'batch'; role: Role; asked: Asked[] }
  | { kind: 'broken'; role: Role; wire: Wire; breaking: Break }
  | { kind: 'stream'; role: Role; after: string | null }
  | { kind: 'raw'; bytes: Buffer }

interface Sources {
  operations: Operation[]
  /** Addresses that the document does not tell of. */
  others: string[]
  known: Known
  tally: Tally
}

const anybody = fc.constantFrom(...roles)

/**
 * What comes of a round: of each operation some valid inputs and some that are not, and of everything else a few. An
 * operation that was reached less than `due` times is asked more often.
 */
export function turnsOf({ operations, others, known, tally }: Sources, seed: number, due: number): Turn[] {
  let step = seed * 7_919
  const take = (count: number, of: fc.Arbitrary<Turn>) => fc.sample(of, { seed: ++step, numRuns: count })

  const ofOperations = operations.flatMap((operation) => {
    const asked = askedOf(operation, known)
    const wrong = misfit(asked.map(({ input }) => input)).map((input) => ({ operation, input }))
    const role = fc.constantFrom(...operation.roles)
    const one = (kind: 'valid' | 'misfit', who: fc.Arbitrary<Role>, what: fc.Arbitrary<Asked>) =>
      fc.record({
        ...{ kind: fc.constant(kind), role: who, asked: what },
        ...{ over: fc.constantFrom<'REST' | 'tRPC'>('REST', 'tRPC'), more: fc.boolean() },
      })
    // Of some only a part of the inputs passes.
    const often = (tally.reached[operation.name] ?? 0) < due ? 30 : 6
    return [
      ...take(often, one('valid', role, asked)),
      ...take(1, one('valid', anybody, asked)),
      ...take(3, one('misfit', role, wrong)),
      ...take(2, broken(role, asked.map(whole))),
    ]
  })
  const place = fc.constantFrom(...others).map((path) => ({ method: 'GET', path, headers: {}, body: null }))
  return [
    ...ofOperations,
    ...take(30, batch(operations, 'GET', known)),
    ...take(15, batch(operations, 'POST', known)),
    ...take(60, broken(anybody, place)),
    ...take(6, stream),
    ...take(30, fc.record({ kind: fc.constant('raw' as const), bytes: noHttp })),
  ]
}

const whole = (asked: Asked) => overRest(asked) ?? overTrpc(asked)

const broken = (role: fc.Arbitrary<Role>, wire: fc.Arbitrary<Wire>) =>
  fc.record({ kind: fc.constant('broken' as const), role, wire, breaking: breaks })

const stream = fc.record({
  ...{ kind: fc.constant('stream' as const), role: anybody },
  after: fc.option(fc.constantFrom('x', '0-1', '9'.repeat(70))),
})

/** Of what may stand in a batch: sign-in may not, and what ends a session ends it for the rest. */
function batch(operations: Operation[], method: 'GET' | 'POST', known: Known) {
  const some = operations.filter(
    (one) => one.method === method && !one.stepUp && !/^auth\.|account\.(end|change)/.test(one.name),
  )
  return fc.record({
    ...{ kind: fc.constant('batch' as const), role: fc.constant<Role>('admin') },
    asked: fc.array(fc.oneof(...some.map((one) => askedOf(one, known))), { minLength: 1, maxLength: 8 }),
  })
}

/** Inputs that a procedure takes: what its schema says, and what only its parser knows. */
function askedOf(operation: Operation, known: Known): fc.Arbitrary<Asked> {
  const { name, input: schema } = operation
  if (!schema) return fc.constant({ operation, input: undefined })
  const values = valid(schema, { known: (field) => known.of(name, field) })
  return fc
    .tuple(values, fc.boolean())
    .map(([value, first]) => ({ operation, input: agreed(name, value, first) }))
}

/** One proof, one direction, a span that has a length. `first` chooses what of two stays. */
function agreed(name: string, value: unknown, first: boolean): unknown {
  if (typeof value !== 'object' || value === null) return value
  const fields = { ...value } as Record<string, unknown>
  const one = (a: string, b: string) => {
    if (a in fields && b in fields) delete fields[first ? b : a]
  }
  one('code', 'passkey')
  if (name === 'auth.verify' && !('passkey' in fields)) fields.code ??= '123456'
  if (name === 'security.events.list') one('before', 'after')
  const { from, to } = fields
  if (typeof from !== 'number' || typeof to !== 'number' || from < to) return fields
  return { ...fields, from: Math.min(from, to), to: Math.max(from, to) + (from === to ? 1 : 0) }
}
