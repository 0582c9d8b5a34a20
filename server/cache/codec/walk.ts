import { HoldfastError } from '@/server/errors'

/** What a value is made of, as far as it was looked at. */
export interface Walked {
  /** About how many bytes its JSON has; above the budget it was not looked at any further. */
  bytes: number
  /** Whether JSON alone carries it. */
  plain: boolean
}

/** Values nest this deep at most; one that holds itself is deeper. */
const DEEPEST = 200

/** Looks through a value until its JSON would exceed `budget` bytes. Throws BAD_INPUT for what can't be carried. */
export function walk(value: unknown, budget: number, depth = 0): Walked {
  const walked = { bytes: 0, plain: true }
  visit(value, budget, walked, depth)
  return walked
}

function visit(value: unknown, budget: number, walked: Walked, depth: number): void {
  switch (typeof value) {
    case 'string':
      walked.bytes += value.length + 2
      return
    case 'number':
      // NaN, Infinity and -0 are not JSON.
      if (value - value !== 0 || (value === 0 && 1 / value < 0)) walked.plain = false
      walked.bytes += 8
      return
    case 'boolean':
      walked.bytes += 5
      return
    case 'undefined':
    case 'bigint':
      walked.plain = false
      walked.bytes += 24
      return
    case 'object':
      if (value === null) walked.bytes += 4
      else visitObject(value, budget, walked, depth)
      return
    default:
      throw new HoldfastError('BAD_INPUT', `The cache can't keep a ${typeof value}.`)
  }
}

function visitObject(value: object, budget: number, walked: Walked, depth: number): void {
  if (depth > DEEPEST) {
    throw new HoldfastError(
      'BAD_INPUT',
      `The cache can't keep a value that holds itself or nests deeper than ${DEEPEST} levels.`,
    )
  }
  walked.bytes += 2
  if (Array.isArray(value)) {
    for (const item of value) {
      if (walked.bytes > budget) return
      visit(item, budget, walked, depth + 1)
    }
    return
  }
  if (value instanceof Date) {
    walked.plain = false
    walked.bytes += 40
    return
  }
  if (value instanceof Uint8Array) {
    walked.plain = false
    walked.bytes += value.length * 1.4
    return
  }
  if (value instanceof Map || value instanceof Set) {
    walked.plain = false
    for (const item of value) {
      if (walked.bytes > budget) return
      visit(item, budget, walked, depth + 1)
    }
    return
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) refuseForeign(value)
  for (const key in value) {
    if (walked.bytes > budget) return
    walked.bytes += key.length + 4
    if (key === '$t' || key === 'toJSON') walked.plain = false
    visit((value as Record<string, unknown>)[key], budget, walked, depth + 1)
  }
}

/** Instances of classes would come back as something else. */
function refuseForeign(value: object): void {
  throw new HoldfastError(
    'BAD_INPUT',
    `The cache can't keep a ${value.constructor?.name || 'foreign object'}: plain objects, arrays, Date, Map, Set, Buffer and primitives are kept.`,
  )
}
