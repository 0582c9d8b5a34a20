import { afterEach, describe, expect, it } from 'vitest'
import { type Cache, createCache, openCache } from '.'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const opened: Cache[] = []
afterEach(async () => {
  for (const cache of opened.splice(0)) await cache.close()
})

/** A cache in memory with a clock that the test moves. */
function open(config = {}) {
  let now = 1_000_000
  const cache = openCache({ clock: { now: () => now }, log: quiet }, config)
  opened.push(cache)
  return { cache, wait: (ms: number) => (now += ms) }
}

/** A promise that is ended from outside. */
function gate<T>() {
  let open: (value: T) => void = () => {}
  let fail: (error: Error) => void = () => {}
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { promise, open, fail }
}

describe('without Redis', () => {
  it('answers what was set until its time is over, and counts why not', async () => {
    const { cache, wait } = open()
    await cache.set('k', { a: 1 }, { ttl: 100 })
    expect(await cache.get('k')).toEqual({ a: 1 })
    expect(await cache.get('other')).toBeUndefined()
    wait(100)
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.figures()).toMatchObject({ hits: 1, misses: 2, state: 'memory', mode: 'memory', sets: 1 })
  })

  it('gives every caller a value of its own', async () => {
    const { cache } = open()
    await cache.set('k', { list: [1] }, { ttl: 100 })
    const first = (await cache.get('k')) as { list: number[] }
    first.list.push(2)
    expect(await cache.get('k')).toEqual({ list: [1] })
  })

  it('does not follow changes of a value after it was set', async () => {
    const { cache } = open()
    const value = { list: [1] }
    await cache.set('k', value, { ttl: 100 })
    value.list.push(2)
    expect(await cache.get('k')).toEqual({ list: [1] })
  })

  it('keeps namespaces apart, with figures of their own', async () => {
    const { cache } = open()
    await cache.space('a').set('k', 1, { ttl: 100 })
    await cache.space('b').set('k', 2, { ttl: 100 })
    expect(await cache.space('a').get('k')).toBe(1)
    expect(cache.clearLocal('a')).toBe(1)
    expect(await cache.space('a').get('k')).toBeUndefined()
    expect(await cache.space('b').get('k')).toBe(2)
    expect(cache.stats().namespaces).toMatchObject([
      { name: 'a', hits: 1, misses: { absent: 1 }, localEntries: 0 },
      { name: 'b', hits: 1, localEntries: 1 },
      { name: 'default' },
    ])
  })

  it('gets and sets several at once, in their order', async () => {
    const { cache } = open()
    await cache.mset(
      [
        { key: 'a', value: 1 },
        { key: 'b', value: null },
      ],
      { ttl: 100 },
    )
    expect(await cache.mget(['b', 'none', 'a'])).toEqual([null, undefined, 1])
    await cache.delete('a', 'b')
    expect(await cache.mget(['a', 'b'])).toEqual([undefined, undefined])
  })

  it('makes every value with a tag a miss, in its namespace alone', async () => {
    const { cache } = open()
    await cache.set('a', 1, { ttl: 100, tags: ['shop', 'eu'] })
    await cache.set('b', 2, { ttl: 100, tags: ['eu'] })
    await cache.space('x').set('a', 3, { ttl: 100, tags: ['shop'] })
    await cache.invalidate('shop')
    expect(await cache.mget(['a', 'b'])).toEqual([undefined, 2])
    expect(await cache.space('x').get('a')).toBe(3)
    expect(cache.figures().missesBy.invalidated).toBe(1)
    await cache.set('a', 4, { ttl: 100, tags: ['shop'] })
    expect(await cache.get('a')).toBe(4)
  })

  it.each([
    ['an empty key', '', 1, { ttl: 1 }, 'empty'],
    ['a long key', 'k'.repeat(600), 1, { ttl: 1 }, '600 bytes'],
    ['a key with a line break', 'a\nb', 1, { ttl: 1 }, 'control characters'],
    ['no time to live', 'k', 1, { ttl: 0 }, 'above zero'],
    ['a function', 'k', () => 1, { ttl: 1 }, 'function'],
    ['a value over the limit', 'k', 'x'.repeat(200_000), { ttl: 1 }, 'the cache keeps 1000 at most'],
  ])('refuses %s', async (_, key, value, options, word) => {
    const { cache } = open({ maxValueBytes: 1_000 })
    const unpacked = typeof value === 'string' ? Array.from({ length: 5_000 }, Math.random) : value
    await expect(cache.set(key, unpacked, options)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining(word),
    })
  })

  it('refuses what is no namespace', () => {
    const { cache } = open()
    for (const name of ['', 'A', 'a b', '#tag', 'x'.repeat(41)])
      expect(() => cache.space(name)).toThrow('namespace')
  })
})

describe('a computation', () => {
  it('is shared by all who ask meanwhile, each with a value of its own', async () => {
    const { cache } = open()
    const work = gate<{ n: number[] }>()
    let computed = 0
    const ask = () =>
      cache.getOrSet('k', { ttl: 100 }, () => {
        computed++
        return work.promise
      })
    const asked = Array.from({ length: 500 }, ask)
    work.open({ n: [1] })
    const values = await Promise.all(asked)
    values[0]?.n.push(2)
    expect(values[499]).toEqual({ n: [1] })
    expect(computed).toBe(1)
    expect(cache.stats().namespaces[0]).toMatchObject({ computed: 1, shared: 499 })
    expect(await ask()).toEqual({ n: [1] })
  })

  it('gives others what was computed, though the first changes it at once', async () => {
    const { cache } = open()
    const work = gate<{ n: number[] }>()
    const ask = () => cache.getOrSet('k', { ttl: 100 }, () => work.promise)
    const first = ask().then((value) => value.n.push(2))
    const second = ask()
    work.open({ n: [1] })
    await first
    expect(await second).toEqual({ n: [1] })
    expect(await ask()).toEqual({ n: [1] })
  })

  it('that fails is told to all who asked, and nothing is kept', async () => {
    const { cache } = open()
    const work = gate<number>()
    const asked = [1, 2].map(() => cache.getOrSet('k', { ttl: 100 }, () => work.promise))
    work.fail(new Error('no'))
    for (const each of asked) await expect(each).rejects.toThrow('no')
    expect(await cache.getOrSet('k', { ttl: 100 }, async () => 2)).toBe(2)
  })

  it.each(['delete', 'set', 'invalidate'] as const)('is not kept when a %s overtook it', async (change) => {
    const { cache } = open()
    const work = gate<string>()
    const options = { ttl: 100, tags: ['t'] }
    const asked = cache.getOrSet('k', options, () => work.promise)
    // The computation has begun once it holds its tags' versions.
    await cache.get('k')
    await cache.get('k')
    if (change === 'delete') await cache.delete('k')
    if (change === 'set') await cache.set('k', 'newer', { ttl: 100 })
    if (change === 'invalidate') await cache.invalidate('t')
    work.open('older')
    expect(await asked).toBe('older')
    expect(await cache.get('k')).toBe(change === 'set' ? 'newer' : undefined)
  })

  it('goes on in the background while a stale value is served', async () => {
    const { cache, wait } = open()
    await cache.getOrSet('k', { ttl: 100, stale: 1_000 }, async () => 'old')
    wait(200)
    expect(await cache.get('k')).toBeUndefined()
    const work = gate<string>()
    const ask = () => cache.getOrSet('k', { ttl: 100, stale: 1_000 }, () => work.promise)
    expect(await ask()).toBe('old')
    expect(await ask()).toBe('old')
    work.open('new')
    await expect.poll(() => cache.get('k')).toBe('new')
    expect(cache.stats().namespaces[0]).toMatchObject({ staleHits: 2, computed: 2 })
  })

  it('that fails leaves the stale value in place until its time is over, too', async () => {
    const { cache, wait } = open()
    await cache.getOrSet('k', { ttl: 100, stale: 1_000 }, async () => 'old')
    wait(200)
    const fail = async () => {
      throw new Error('down')
    }
    expect(await cache.getOrSet('k', { ttl: 100, stale: 1_000 }, fail)).toBe('old')
    wait(1_000)
    await expect(cache.getOrSet('k', { ttl: 100, stale: 1_000 }, fail)).rejects.toThrow('down')
  })

  it('stands behind a function by its arguments, whatever the order of their fields', async () => {
    const { cache } = open()
    let calls = 0
    const price = cache.wrap('price', { ttl: 100 }, async (shop: { id: number; in: string }, at: Date) => {
      calls++
      return `${shop.id} ${shop.in} ${at.getTime()}`
    })
    expect(await price({ id: 1, in: 'eu' }, new Date(5))).toBe('1 eu 5')
    expect(await price({ in: 'eu', id: 1 }, new Date(5))).toBe('1 eu 5')
    expect(await price({ id: 1, in: 'eu' }, new Date(6))).toBe('1 eu 6')
    expect(await price({ id: 1, in: 'x'.repeat(500) }, new Date(6))).toContain('xxx')
    expect(calls).toBe(3)
  })
})

it('stays within its bytes', async () => {
  const cache = createCache({ memoryBytes: 2 ** 20 })
  opened.push(cache)
  for (let n = 0; n < 2_000; n++) await cache.set(`k${n}`, { text: `${n}`.repeat(200) }, { ttl: 60_000 })
  const { memoryBytes, memoryMaxBytes, evictions, rawBytes, storedBytes } = cache.figures()
  expect(memoryBytes).toBeLessThanOrEqual(memoryMaxBytes)
  expect(evictions).toBeGreaterThan(0)
  expect(storedBytes).toBeLessThan(rawBytes)
})

it('keeps what was set last, though a large value takes longer to encode', async () => {
  const cache = createCache({})
  const large = Array.from({ length: 20_000 }, (_, n) => ({ n, note: 'a large value' }))
  await Promise.all([cache.set('k', large, { ttl: 1_000 }), cache.set('k', 'later', { ttl: 1_000 })])
  expect(await cache.get('k')).toBe('later')
  await Promise.all([cache.set('k', large, { ttl: 1_000 }), cache.delete('k')])
  expect(await cache.get('k')).toBe(undefined)
  await Promise.all([cache.set('k', 'first', { ttl: 1_000 }), cache.set('k', large, { ttl: 1_000 })])
  expect(await cache.get('k')).toEqual(large)
  await cache.close()
})
