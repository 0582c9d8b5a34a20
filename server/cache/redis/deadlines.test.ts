import { afterEach, expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { Deadlines, type Pending } from './deadlines'

let deadlines: Deadlines
afterEach(() => deadlines.close())

function call(): Pending & { after: number | undefined } {
  const made = {
    asked: performance.now(),
    settled: false,
    after: undefined as number | undefined,
    late() {
      made.settled = true
      made.after = performance.now() - made.asked
    },
  }
  return made
}

it('ends calls at their deadline, in their order, and no settled one', async () => {
  const ends: number[] = []
  for (let round = 0; round < 5; round++) {
    deadlines = new Deadlines(40)
    const [first, second, answered] = [call(), call(), call()]
    for (const one of [first, answered, second]) deadlines.add(one)
    answered.settled = true
    await waitUntil('the end of the calls', async () => second.settled)
    expect(first.after).toBeGreaterThan(30)
    expect(answered.after).toBe(undefined)
    expect(deadlines.size).toBe(0)
    ends.push(first.after ?? 0)
  }
  // The quickest of the rounds: what else runs on this machine must not count.
  expect(Math.min(...ends), String(ends)).toBeLessThan(80)
})

it('reads what the socket holds before it calls anything late after a stall of the process', async () => {
  deadlines = new Deadlines(40)
  const one = call()
  deadlines.add(one)
  const until = performance.now() + 100
  while (performance.now() < until);
  setImmediate(() => {
    one.settled = true
  })
  await waitUntil('the sweep', async () => deadlines.size === 0)
  expect(one.after).toBe(undefined)
})

it('ends every call when it is closed', () => {
  deadlines = new Deadlines(10_000)
  const one = call()
  deadlines.add(one)
  deadlines.close()
  expect(one.settled).toBe(true)
})
