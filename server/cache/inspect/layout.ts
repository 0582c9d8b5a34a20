/** Bytes of a Buffer that are shown. */
const BUFFER_SHOWN = 256
const DEEPEST = 100

/**
 * A value of the cache for reading: JSON with two spaces, and beside it Map, Set, Date, BigInt, Buffer and undefined.
 * Stops about `limit` characters in; `whole` tells whether that is all.
 */
export function layOut(value: unknown, limit: number): { text: string; whole: boolean } {
  const writer = new Writer(limit)
  writer.value(value, 0)
  return { text: writer.text(), whole: writer.whole }
}

class Writer {
  readonly #limit: number
  readonly #parts: string[] = []
  #length = 0
  #cut = false

  constructor(limit: number) {
    this.#limit = limit
  }

  get whole(): boolean {
    return !this.full && !this.#cut
  }

  get full(): boolean {
    return this.#length > this.#limit
  }

  text(): string {
    const text = this.#parts.join('')
    return this.full ? `${text.slice(0, this.#limit)}…` : text
  }

  value(value: unknown, depth: number): void {
    if (typeof value !== 'object' || value === null) this.#add(scalar(value, this.#limit))
    else if (value instanceof Date) this.#add(`Date(${date(value)})`)
    else if (ArrayBuffer.isView(value)) {
      this.#cut ||= value.byteLength > BUFFER_SHOWN
      this.#add(bytes(value))
    } else if (depth >= DEEPEST) {
      this.#cut = true
      this.#add('…')
    } else if (Array.isArray(value)) this.#list('[', value, ']', depth)
    else if (value instanceof Set) this.#list(`Set(${value.size}) [`, value, ']', depth)
    else if (value instanceof Map) this.#pairs(`Map(${value.size}) {`, ' => ', value, depth)
    else if (value instanceof Error || value instanceof RegExp) this.#add(String(value))
    else this.#pairs('{', ': ', entries(value), depth)
  }

  #list(open: string, items: Iterable<unknown>, close: string, depth: number): void {
    this.#items(open, items, close, depth, (item) => this.value(item, depth + 1))
  }

  #pairs(open: string, between: string, items: Iterable<[unknown, unknown]>, depth: number): void {
    this.#items(open, items, '}', depth, ([key, value]) => {
      this.value(key, depth + 1)
      this.#add(between)
      this.value(value, depth + 1)
    })
  }

  #items<T>(open: string, items: Iterable<T>, close: string, depth: number, write: (item: T) => void): void {
    this.#add(open)
    let first = true
    for (const item of items) {
      if (this.full) return
      this.#add(`${first ? '' : ','}\n${'  '.repeat(depth + 1)}`)
      write(item)
      first = false
    }
    this.#add(first ? close : `\n${'  '.repeat(depth)}${close}`)
  }

  #add(part: string): void {
    if (this.full) return
    this.#parts.push(part)
    this.#length += part.length
  }
}

function scalar(value: unknown, limit: number): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > limit ? value.slice(0, limit + 1) : value)
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0)) return '-0'
  return String(value)
}

function date(value: Date): string {
  return Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString()
}

function bytes(view: ArrayBufferView): string {
  const name = Buffer.isBuffer(view) ? 'Buffer' : view.constructor.name
  const shown = Buffer.from(view.buffer, view.byteOffset, Math.min(view.byteLength, BUFFER_SHOWN))
  const hex = shown.toString('hex').replace(/..(?=.)/g, '$& ')
  return `${name}(${view.byteLength} bytes) <${hex}${view.byteLength > BUFFER_SHOWN ? ' …' : ''}>`
}

/** Own entries one by one: a large object isn't copied for its first lines. */
function* entries(value: object): Iterable<[string, unknown]> {
  for (const key in value) {
    if (Object.hasOwn(value, key)) yield [key, (value as Record<string, unknown>)[key]]
  }
}
