import { setImmediate as turn } from 'node:timers/promises'
import { fromTagged, toTagged } from './tagged'
import { walk } from './walk'

/** About how many bytes of JSON are written, or read, without a pause: a quarter of a millisecond's work. */
export const PIECE = 64 * 1024
/** Milliseconds after which others get a turn. */
const SLICE = 2

/**
 * Where the pieces of a large value belong. A number is a whole piece; `a` joins arrays, `o` joins objects: each part
 * is a piece of several items, or one item (`k` its key) that is cut up itself.
 */
type Plan = number | { a: (number | { e: Plan })[] } | { o: (number | { k: string; e: Plan })[] }

interface Piece {
  text: string
  plain: boolean
}

export interface Cut {
  plan: Plan
  pieces: Piece[]
}

/** Gives others a turn when the present one has taken long. */
class Pace {
  #since = performance.now()
  async pause(): Promise<void> {
    if (performance.now() - this.#since < SLICE) return
    await turn()
    this.#since = performance.now()
  }
}

/** Writes a large value as JSON in pieces, the event loop in between. The value must not change meanwhile. */
export async function cut(value: unknown): Promise<Cut> {
  const pieces: Piece[] = []
  const pace = new Pace()
  const add = (content: unknown, plain: boolean): number => {
    pieces.push({ text: JSON.stringify(plain ? content : toTagged(content)), plain })
    return pieces.length - 1
  }

  async function plan(content: unknown, depth: number): Promise<Plan> {
    await pace.pause()
    const { bytes, plain } = walk(content, PIECE, depth)
    if (bytes <= PIECE || !divisible(content)) return add(content, plain)
    return Array.isArray(content) ? array(content, depth) : object(content as Record<string, unknown>, depth)
  }

  async function array(items: unknown[], depth: number): Promise<Plan> {
    const parts: (number | { e: Plan })[] = []
    await group(items, depth, (item) => item, {
      single: (_, e) => parts.push({ e }),
      several: (group, plain) => parts.push(add(group, plain)),
    })
    return { a: parts }
  }

  async function object(fields: Record<string, unknown>, depth: number): Promise<Plan> {
    const parts: (number | { k: string; e: Plan })[] = []
    await group(Object.entries(fields), depth, ([, field]) => field, {
      single: ([k], e) => parts.push({ k, e }),
      several: (group, plain) => parts.push(add(Object.fromEntries(group), plain && !group.some(isMark))),
    })
    return { o: parts }
  }

  async function group<T>(
    items: readonly T[],
    depth: number,
    contentOf: (item: T) => unknown,
    put: { single: (item: T, plan: Plan) => void; several: (items: T[], plain: boolean) => void },
  ): Promise<void> {
    let held: T[] = []
    let bytes = 0
    let allPlain = true
    const flush = () => {
      if (held.length > 0) put.several(held, allPlain)
      held = []
      bytes = 0
      allPlain = true
    }
    for (const item of items) {
      const walked = walk(contentOf(item), PIECE, depth + 1)
      if (walked.bytes > PIECE && divisible(contentOf(item))) {
        flush()
        put.single(item, await plan(contentOf(item), depth + 1))
      } else {
        held.push(item)
        bytes += walked.bytes
        allPlain &&= walked.plain
        if (bytes > PIECE) flush()
      }
      await pace.pause()
    }
    flush()
  }

  return { plan: await plan(value, 0), pieces }
}

const isMark = ([key]: [string, unknown]) => key === '$t' || key === 'toJSON'

function divisible(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Array.isArray(value) || isFields(value))
}

function isFields(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Puts a value together again, piece by piece. `read` answers the text of one. */
export async function join(
  plan: Plan,
  read: (at: number) => Promise<{ text: string; plain: boolean }>,
): Promise<unknown> {
  const pace = new Pace()
  const piece = async (at: number): Promise<unknown> => {
    const { text, plain } = await read(at)
    await pace.pause()
    const data: unknown = JSON.parse(text)
    return plain ? data : fromTagged(data)
  }

  async function whole(part: Plan): Promise<unknown> {
    if (typeof part === 'number') return piece(part)
    if ('a' in part) {
      const items: unknown[] = []
      for (const each of part.a) {
        if (typeof each !== 'number') items.push(await whole(each.e))
        else for (const item of (await piece(each)) as unknown[]) items.push(item)
      }
      return items
    }
    const fields: Record<string, unknown> = {}
    for (const each of part.o) {
      const more = typeof each === 'number' ? await piece(each) : { [each.k]: await whole(each.e) }
      for (const [key, field] of Object.entries(more as object)) define(fields, key, field)
    }
    return fields
  }
  return whole(plan)
}

function define(fields: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') fields[key] = value
  else Object.defineProperty(fields, key, { value, enumerable: true, writable: true, configurable: true })
}
