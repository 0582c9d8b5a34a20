import { randomBytes } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { expect, it } from 'vitest'
import { checkSize, decode, encode, readEntry, readHead } from '.'

const facts = { writtenAt: 1_000, freshUntil: 2_000, staleUntil: 3_000, tags: [] }

async function there(value: unknown, more: Partial<typeof facts> = {}) {
  return encode(value, { ...facts, ...more })
}

async function andBack(value: unknown): Promise<unknown> {
  const { entry } = await there(value)
  const head = readHead(entry)
  if (!head) throw new Error('The head should be readable.')
  return (await decode(entry, head))?.value
}

const record = (n: number) => ({ id: `r${n}`, name: 'Ann', note: 'some words that come again '.repeat(4), n })

it.each([
  ['a record', { id: 1, name: 'Ann', tags: ['a', 'b'], nested: { none: null, yes: true } }],
  ['a text', 'Grüße, 世界 🎉'],
  ['nothing', null],
  ['undefined', undefined],
  ['undefined inside', { here: undefined, list: [undefined, 1] }],
  ['a BigInt', { big: 12345678901234567890n }],
  ['a Date', { at: new Date(86_400_000), never: new Date(Number.NaN) }],
  [
    'a Map with objects as keys',
    new Map<unknown, unknown>([
      [{ a: 1 }, new Date(1)],
      ['k', new Map([[1, 2]])],
    ]),
  ],
  ['a Set', new Set([1, 'two', { three: 3 }])],
  ['numbers that JSON lacks', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]],
  ['bytes', Buffer.from([0, 255, 1])],
  ['bytes inside', { raw: Buffer.from([0, 255]), view: new Uint8Array([1, 2]) }],
  ['a record that looks like a tag', { $t: 'date', v: 1 }],
  ['a record with the key __proto__', JSON.parse('{"__proto__": {"admin": true}, "a": [{"$t": 1}]}')],
  ['a long text', 'words '.repeat(60_000)],
  ['many records', Array.from({ length: 5_000 }, (_, n) => record(n))],
  ['a wide record', Object.fromEntries(Array.from({ length: 4_000 }, (_, n) => [`k${n}`, record(n)]))],
  ['many records with dates', Array.from({ length: 3_000 }, (_, n) => ({ ...record(n), at: new Date(n) }))],
  ['large parts inside', { small: 1, list: [Array.from({ length: 3_000 }, (_, n) => record(n)), 'end'] }],
])('carries %s', async (_, value) => {
  expect(await andBack(value)).toEqual(value)
})

it('keeps what sets an object apart from its neighbours', async () => {
  const value = JSON.parse('{"__proto__": {"admin": true}, "big": 1}')
  const back = (await andBack({ ...value, x: 1n })) as { admin?: boolean }
  expect(back.admin).toBeUndefined()
  expect(Object.is(((await andBack([-0])) as number[])[0], -0)).toBe(true)
  expect(Buffer.isBuffer(await andBack(Buffer.from('x')))).toBe(true)
})

const loop: { self?: unknown } = {}
loop.self = loop
const wideLoop: unknown[] = Array.from({ length: 10 }, () => 'x'.repeat(50_000))
wideLoop.push(wideLoop)

it.each([
  ['a function', () => 1, 'function'],
  ['a function inside', { call: () => 1 }, 'function'],
  ['a symbol', [Symbol('s')], 'symbol'],
  ['an instance of a class', { at: new URL('http://localhost') }, 'URL'],
  ['what holds itself', loop, 'holds itself'],
  ['a large value that holds itself', wideLoop, 'holds itself'],
])('refuses %s', async (_, value, word) => {
  await expect(there(value)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining(word),
  })
})

it('compresses what gets smaller, and leaves the rest as it is', async () => {
  const small = await there({ id: 1 })
  expect(small.compressed).toBe(false)
  expect(small.entry.length).toBeLessThan(small.rawBytes + 30)
  const records = await there(Array.from({ length: 20 }, (_, n) => record(n)))
  expect(records.entry.length).toBeLessThan(records.rawBytes / 2)
  const noise = await there(randomBytes(4_000))
  expect(noise.compressed).toBe(false)
  expect(noise.entry.length).toBe(4_024)
})

it('reads entries of the release before, and takes unknown formats for none', async () => {
  const former = Buffer.concat([Buffer.from([1]), Buffer.from('{"a":1}')])
  expect((await readEntry(former))?.value).toEqual({ a: 1 })
  for (const entry of [
    Buffer.from([9, 9, 9]),
    Buffer.from(''),
    Buffer.from('{"a":1}'),
    Buffer.from([2, 0]),
  ]) {
    expect(await readEntry(entry)).toBeUndefined()
  }
})

it('takes a cut off or broken entry for none, wherever it breaks', async () => {
  const tagged = { tags: [['shop', 'v1']] as never }
  for (const value of [
    Array.from({ length: 30 }, (_, n) => record(n)),
    Array.from({ length: 3_000 }, (_, n) => record(n)),
  ]) {
    const { entry } = await there(value, tagged)
    for (let cut = 1; cut < entry.length; cut += Math.ceil(entry.length / 60)) {
      expect(await readEntry(entry.subarray(0, entry.length - cut))).toBeUndefined()
    }
  }
})

it('tells what an entry is', async () => {
  const { entry } = await there([record(1), record(2), record(3), record(4)], {
    tags: [['shop', 'v1']] as never,
  })
  expect(await readEntry(entry)).toMatchObject({
    ...{ codec: 'json, snappy', writtenAt: 1_000, freshUntil: 2_000, staleUntil: 3_000, tags: ['shop'] },
    storedBytes: entry.length,
  })
})

it('gives others turns while it encodes and decodes 5 MB', async () => {
  const value = Array.from({ length: 25_000 }, (_, n) => ({
    ...record(n),
    id: randomBytes(16).toString('hex'),
  }))
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let turns = 0
  const ticking = setInterval(() => turns++, 1)
  delay.enable()
  const { entry, rawBytes } = await there(value)
  const head = readHead(entry)
  const back = head && (await decode(entry, head))
  delay.disable()
  clearInterval(ticking)
  expect(rawBytes).toBeGreaterThan(4_000_000)
  expect(back?.value).toEqual(value)
  expect(turns).toBeGreaterThan(5)
})

it('refuses entries over the limit with both sizes', () => {
  expect(() => checkSize('a:b', 11, 10)).toThrow('The value of a:b has 11 bytes; the cache keeps 10 at most.')
})
