import { type Decoded, decode, readHead } from '../codec'
import type { Held } from './level'

/** Plain data up to this size of JSON is kept as it is and copied for each caller: a third of the time of parsing. */
const LARGEST_DATA = 1024
/** JSON up to this size is kept as text: parsing it is quicker than decompressing; larger ones stay entries. */
const LARGEST_TEXT = 64 * 1024

/** What is kept of a value. `entry` is called for the bytes of one that is neither primitive nor short JSON. */
export function heldOf({ value, json }: Decoded, entry: () => Buffer): Held {
  if (json === undefined || json.length > LARGEST_TEXT) return { kind: 'entry', entry: entry() }
  if (isPrimitive(value)) return { kind: 'primitive', value }
  if (json.length > LARGEST_DATA) return { kind: 'json', json }
  return { kind: 'data', value: copied(value as object), bytes: json.length }
}

function isPrimitive(value: unknown): value is string | number | boolean | null {
  return value === null || typeof value !== 'object'
}

/** A value of the caller's own; undefined when what is held is broken. */
export function freshValue(held: Held): Decoded | undefined | Promise<Decoded | undefined> {
  if (held.kind === 'primitive') return { value: held.value }
  if (held.kind === 'data') return { value: copied(held.value) }
  if (held.kind === 'json') return { value: JSON.parse(held.json) }
  const head = readHead(held.entry)
  return head && decode(held.entry, head)
}

/** A deep copy of what JSON carries. */
export function copied<T extends object>(value: T): T {
  if (Array.isArray(value)) {
    const items = value.slice()
    for (let at = 0; at < items.length; at++) {
      const item = items[at]
      if (typeof item === 'object' && item !== null) items[at] = copied(item)
    }
    return items as unknown as T
  }
  const fields: Record<string, unknown> = { ...value } as Record<string, unknown>
  for (const key in fields) {
    const field = fields[key]
    if (typeof field === 'object' && field !== null) fields[key] = copied(field)
  }
  return fields as T
}
