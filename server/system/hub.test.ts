import { describe, expect, it } from 'vitest'
import { type Delivered, Hub } from './hub'

const make = () => new Hub<number | 'reset'>('reset')

async function take<E>(stream: AsyncGenerator<Delivered<E>>, count: number): Promise<Delivered<E>[]> {
  const taken: Delivered<E>[] = []
  for await (const delivered of stream) {
    taken.push(delivered)
    if (taken.length === count) break
  }
  return taken
}

const signal = () => new AbortController().signal
const events = <E>(delivered: Delivered<E>[]) => delivered.map(({ event }) => event)

describe('hub', () => {
  it('begins with the latest event and goes on with what is published', async () => {
    const hub = make()
    hub.publish(1)
    hub.publish(2)
    const taking = take(hub.subscribe({ signal: signal() }), 3)
    await Promise.resolve()
    hub.publish(3)
    hub.publish(4)
    expect(events(await taking)).toEqual([2, 3, 4])
  })

  it('resumes after an id without gaps or doubles', async () => {
    const hub = make()
    for (let n = 1; n <= 10; n++) hub.publish(n)
    const first = await take(hub.subscribe({ signal: signal() }), 1)
    for (let n = 11; n <= 15; n++) hub.publish(n)
    const resumed = hub.subscribe({ after: first[0]?.id, signal: signal() })
    expect(events(await take(resumed, 5))).toEqual([11, 12, 13, 14, 15])
  })

  it('names its newest event, after which a subscriber can begin without a gap', async () => {
    const hub = make()
    for (const n of [1, 2]) {
      const taking = take(hub.subscribe({ after: hub.lastId, signal: signal() }), 1)
      await Promise.resolve()
      hub.publish(n)
      expect(events(await taking)).toEqual([n])
    }
  })

  it('waits, without repeating, when the subscriber has everything', async () => {
    const hub = make()
    hub.publish(1)
    const [last] = await take(hub.subscribe({ signal: signal() }), 1)
    const taking = take(hub.subscribe({ after: last?.id, signal: signal() }), 1)
    await Promise.resolve()
    hub.publish(2)
    expect(events(await taking)).toEqual([2])
  })

  it('resets a subscriber whose id is from another process, too old, or no id at all', async () => {
    const hub = make()
    hub.publish(0)
    const [old] = await take(hub.subscribe({ signal: signal() }), 1)
    for (let n = 1; n <= 5_000; n++) hub.publish(n)
    for (const after of [old?.id, 'abcdef-3', 'nonsense', `${old?.id.split('-')[0]}-999999`]) {
      const [reset, next] = await take(hub.subscribe({ after, signal: signal() }), 2)
      expect(reset?.event).toBe('reset')
      expect(next?.event).toBe(5_000)
      const resumed = hub.subscribe({ after: reset?.id, signal: signal() })
      expect(events(await take(resumed, 1))).toEqual([5_000])
    }
  })

  it('lets a slow subscriber catch up, or resets it when it was overtaken', async () => {
    const hub = make()
    hub.publish(0)
    const slow = hub.subscribe({ signal: signal() })
    await slow.next()
    for (let n = 1; n <= 100; n++) hub.publish(n)
    const caughtUp = [await slow.next(), await slow.next(), await slow.next()]
    expect(caughtUp.map(({ value }) => value?.event)).toEqual([1, 2, 3])
    for (let n = 101; n <= 9_000; n++) hub.publish(n)
    expect((await slow.next()).value?.event).toBe('reset')
    expect((await slow.next()).value?.event).toBe(9_000)
    await slow.return()
  })

  it('ends at once on abort and forgets the subscriber', async () => {
    const hub = make()
    const controller = new AbortController()
    const stream = hub.subscribe({ signal: controller.signal })
    const next = stream.next()
    expect(hub.subscribers).toBe(1)
    controller.abort()
    expect(await next).toEqual({ done: true, value: undefined })
    expect(hub.subscribers).toBe(0)
  })
})
