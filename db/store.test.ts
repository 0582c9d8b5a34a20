import { eq, sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { isUniqueViolation } from './errors'
import { describeStores } from './testing/stores'
import { locked, q, unit } from './unit'

const put = unit('test.put', function* (tx, { key, value }: { key: string; value: string }) {
  const [row] = yield* q(tx.db.insert(tx.tables.meta).values({ key, value }).returning())
  return row
})

const putTwiceThenFail = unit('test.putTwiceThenFail', function* (tx, key: string) {
  yield* q(tx.db.insert(tx.tables.meta).values({ key, value: 'first' }))
  yield* q(tx.db.insert(tx.tables.meta).values({ key: `${key}-2`, value: 'second' }))
  throw new Error('changed my mind')
})

const increment = unit('test.increment', function* (tx, key: string) {
  const { meta } = tx.tables
  const [row] = yield* q(locked(tx.db.select().from(meta).where(eq(meta.key, key))))
  const next = String(Number(row?.value) + 1)
  yield* q(tx.db.update(meta).set({ value: next }).where(eq(meta.key, key)))
  return next
})

const recover = unit('test.recover', function* (tx, key: string) {
  yield* q(tx.db.insert(tx.tables.meta).values({ key, value: 'written before' }))
  try {
    yield* q(tx.db.select({ wrong: sql`no_such_function(1)` }).from(tx.tables.meta))
  } catch {
    return `caught for ${key}`
  }
  return 'not caught'
})

describeStores((open) => {
  it('commits what a unit wrote and answers what it returned', async () => {
    const store = await open()
    expect(await store.run(put, { key: 'a', value: '1' })).toEqual({ key: 'a', value: '1' })
    expect(await store.db.select().from(store.tables.meta)).toEqual([{ key: 'a', value: '1' }])
  })

  it('takes back everything that a failing unit wrote', async () => {
    const store = await open()
    await expect(store.run(putTwiceThenFail, 'a')).rejects.toThrow('changed my mind')
    expect(await store.db.select().from(store.tables.meta)).toEqual([])
  })

  it('tells a unique violation from other errors', async () => {
    const store = await open()
    await store.run(put, { key: 'a', value: '1' })
    const error = await store.run(put, { key: 'a', value: '2' }).catch((thrown: unknown) => thrown)
    expect(isUniqueViolation(error)).toBe(true)
    expect(isUniqueViolation(new Error('unique'))).toBe(false)
  })

  it('fails a unit of which one query failed, even when the unit would catch it', async () => {
    const store = await open()
    await expect(store.run(recover, 'a')).rejects.toThrow()
    expect(await store.db.select().from(store.tables.meta)).toEqual([])
  })

  it('loses no increment of 50 parallel units that lock their row', async () => {
    const store = await open()
    await store.run(put, { key: 'n', value: '0' })
    await Promise.all(Array.from({ length: 50 }, () => store.run(increment, 'n')))
    const [row] = await store.db.select().from(store.tables.meta)
    expect(row?.value).toBe('50')
  })

  it('keeps booleans, JSON and times as they were given', async () => {
    const store = await open()
    const time = 1_793_000_000_123
    await store.run(
      unit('test.connection', function* (tx, _: null) {
        yield* q(
          tx.db.insert(tx.tables.signingKeys).values({
            id: 'k',
            algorithm: 'EdDSA',
            publicJwk: { kty: 'OKP', nested: [1, null, 'é'] },
            privateSealed: 'sealed',
            createdAt: time,
          }),
        )
      }),
      null,
    )
    const [key] = await store.db.select().from(store.tables.signingKeys)
    expect(key).toMatchObject({
      createdAt: time,
      publicJwk: { kty: 'OKP', nested: [1, null, 'é'] },
      retiredAt: null,
    })
  })

  it('holds units while a switchover has the store to itself, and fails none', async () => {
    const store = await open()
    await store.run(put, { key: 'n', value: '0' })
    const before = Array.from({ length: 10 }, () => store.run(increment, 'n'))
    let seenInside = ''
    const during: Promise<string>[] = []
    await store.exclusively(async (handle) => {
      during.push(...Array.from({ length: 10 }, () => store.run(increment, 'n')))
      const [row] = await handle.db.select().from(handle.tables.meta)
      seenInside = row?.value ?? ''
      return undefined
    })
    await Promise.all([...before, ...during])
    expect(seenInside).toBe('10')
    const [row] = await store.db.select().from(store.tables.meta)
    expect(row?.value).toBe('20')
  })

  it('lets held units go on after a switchover that failed', async () => {
    const store = await open()
    const held = { promise: Promise.resolve<unknown>(null) }
    await expect(
      store.exclusively(async () => {
        held.promise = store.run(put, { key: 'a', value: '1' })
        throw new Error('target gone')
      }),
    ).rejects.toThrow('target gone')
    expect(await held.promise).toEqual({ key: 'a', value: '1' })
  })
})
