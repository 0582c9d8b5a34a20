import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { openLog } from '@/server/log'
import { Repeating } from './repeating'

const lines: string[] = []
const log = openLog('error', (line) => lines.push(line))

const every = (period: number, tick: () => Promise<void>) =>
  new Repeating({
    ...{ period, tick, pace: 'begin-to-begin' },
    failed: (error) => log.error({ error }, 'sampling failed'),
  })

describe('what repeats', () => {
  it('never runs two ticks at a time, and its end waits for the last one', async () => {
    let running = 0
    let most = 0
    let done = 0
    const repeating = every(1, async () => {
      most = Math.max(most, ++running)
      await delay(15)
      running--
      done++
    })
    repeating.start()
    repeating.start()
    await waitUntil('some ticks', async () => done >= 3)
    await waitUntil('a running tick', async () => running === 1)
    const before = done
    await repeating.stop()
    expect([running, done, most]).toEqual([0, before + 1, 1])
  })

  it('goes on after a tick that failed, and logs it', async () => {
    let ticks = 0
    const repeating = every(1, async () => {
      if (++ticks === 1) throw new Error('once')
    })
    repeating.start()
    await waitUntil('the next tick', async () => ticks >= 2)
    await repeating.stop()
    expect(lines.filter((line) => line.includes('sampling failed'))).toHaveLength(1)
  })

  it('rests for the whole period after a tick, and tells a failure that goes on from a new one', async () => {
    const begun: number[] = []
    const failures: boolean[] = []
    const repeating = new Repeating({
      ...{ period: 20, pace: 'rest' },
      async tick() {
        begun.push(performance.now())
        await delay(30)
        if (begun.length < 3 || begun.length === 4) throw new Error('away')
      },
      failed: (_error, again) => failures.push(again),
    })
    repeating.start()
    await waitUntil('the third failure', async () => failures.length === 3)
    await repeating.stop()
    expect(failures).toEqual([false, true, false])
    // A timer may fire within the millisecond before it is due.
    for (let at = 1; at < 4; at++) expect((begun[at] ?? 0) - (begun[at - 1] ?? 0)).toBeGreaterThan(47)
  })
})
