import type { RedisControl } from '../redis/types'
import { ask, bytesOf, listOf, numberOf, pairsOf, textOf } from './asking'
import { elementText } from './text'
import type { KeyValueFacts } from './types'

const ELEMENTS = 500
/** Bytes of all elements, and of one, that are shown. */
const BYTES = 1024 * 1024
const ELEMENT_BYTES = 16 * 1024
/** Elements that are read first, before it is known how large they are. */
const FIRST_STEP = 10

type Value = Pick<KeyValueFacts, 'length' | 'shown' | 'content'>
type Kind = 'hash' | 'list' | 'set' | 'zset' | 'stream'

const LENGTH = { hash: 'HLEN', list: 'LLEN', set: 'SCARD', zset: 'ZCARD', stream: 'XLEN' } as const

/** The first elements of a collection; undefined when it has gone. Throws CACHE_UNAVAILABLE. */
export async function collectionOf(
  control: RedisControl,
  { address, key, type }: { address: string; key: Buffer; type: Kind },
): Promise<Value | undefined> {
  const question = (command: string, ...args: (string | number | Buffer)[]) =>
    ask(control, address, command, key, ...args)
  const length = numberOf(await question(LENGTH[type])) ?? 0
  if (length === 0 && type !== 'stream') return undefined
  const { content, shown } = await readers[type](question)
  return { length: Math.max(length, shown), shown, content }
}

type Question = (command: string, ...args: (string | number | Buffer)[]) => Promise<unknown>
type Read = (question: Question) => Promise<Pick<Value, 'content' | 'shown'>>

const readers: Record<Kind, Read> = {
  async hash(question) {
    const pairs = await gather(distinct(scanning(question, 'HSCAN', (answer) => pairsOf(answer))))
    const fields = pairs.map(([field, value]) => ({ field: short(field), value: short(value) }))
    return { shown: fields.length, content: { kind: 'hash', fields } }
  },
  async set(question) {
    const single = (answer: unknown) => listOf(answer).map((member): Element => [bytesOf(member)])
    const found = await gather(distinct(scanning(question, 'SSCAN', single)))
    const members = found.map(([member]) => short(member))
    return { shown: members.length, content: { kind: 'set', members } }
  },
  async list(question) {
    const found = await gather(async (from, count) => {
      const items = listOf(await question('LRANGE', from, from + count - 1))
      return { elements: items.map((item): Element => [bytesOf(item)]), end: items.length < count }
    })
    const items = found.map(([item]) => short(item))
    return { shown: items.length, content: { kind: 'list', items } }
  },
  async zset(question) {
    const found = await gather(async (from, count) => {
      const elements = pairsOf(await question('ZRANGE', from, from + count - 1, 'WITHSCORES'))
      return { elements, end: elements.length < count }
    })
    const members = found.map(([member, score]) => ({ member: short(member), score: scoreOf(score) }))
    return { shown: members.length, content: { kind: 'zset', members } }
  },
  async stream(question) {
    let after = '-'
    const found = await gather(async (_, count) => {
      const entries = listOf(await question('XRANGE', after, '+', 'COUNT', count)).map(listOf)
      const elements = entries.map(([id, fields]): Element => [bytesOf(id), ...pairsOf(fields).flat()])
      if (elements.length > 0) after = `(${elements.at(-1)?.[0]}`
      return { elements, end: elements.length < count }
    })
    const entries = found.map(([id, ...fields]) => ({ id: id.toString(), fields: fieldsOf(fields) }))
    return { shown: entries.length, content: { kind: 'stream', entries } }
  },
}

/** The parts of an element: a member, a field with its value. */
type Element = [Buffer, ...Buffer[]]

interface Step {
  elements: Element[]
  end: boolean
}

/** Reads steps until there is enough to show; a step is as large as the elements before it let it be. */
async function gather(next: (from: number, count: number) => Promise<Step>): Promise<Element[]> {
  const found: Element[] = []
  let from = 0
  let bytes = 0
  let count = FIRST_STEP
  for (;;) {
    const { elements, end } = await next(from, count)
    from += elements.length
    found.push(...elements)
    bytes += elements.flat().reduce((sum, part) => sum + part.length, 0)
    if (end || found.length >= ELEMENTS || bytes >= BYTES) return found.slice(0, ELEMENTS)
    const each = Math.max(bytes / Math.max(found.length, 1), 1)
    count = Math.max(1, Math.min(ELEMENTS - found.length, Math.floor((BYTES - bytes) / each)))
  }
}

/** HSCAN and SSCAN, a step each. */
function scanning(question: Question, command: string, read: (answer: unknown) => Element[]) {
  let cursor = '0'
  return async (_: number, count: number): Promise<Step> => {
    const answer = listOf(await question(command, cursor, 'COUNT', count))
    cursor = textOf(answer[0]) ?? '0'
    return { elements: read(answer[1]), end: cursor === '0' }
  }
}

/** Without the elements that SCAN answers a second time. */
function distinct(next: (from: number, count: number) => Promise<Step>) {
  const seen = new Set<string>()
  return async (from: number, count: number): Promise<Step> => {
    const { elements, end } = await next(from, count)
    const fresh = elements.filter(([first]) => {
      const id = first.toString('latin1')
      return !seen.has(id) && seen.add(id)
    })
    return { elements: fresh, end }
  }
}

function fieldsOf(parts: Buffer[]): { field: string; value: string }[] {
  return pairsOf(parts).map(([field, value]) => ({ field: short(field), value: short(value) }))
}

function short(part: Buffer | undefined): string {
  return elementText(part ?? Buffer.alloc(0), ELEMENT_BYTES)
}

/** Redis writes `inf` and `-inf`. */
function scoreOf(score: Buffer | undefined): number {
  const text = String(score)
  if (/^[+-]?inf/.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return Number(text)
}
