import { setTimeout as after } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { openLog } from '@/server/log'
import { Sampler } from './sampler'

const lines: string[] = []
const log = openLog('error', (line) => lines.push(line))

describe('sampler', () => {
  it('never runs two ticks at a time, and its end waits for the last one', async () => {
    let running = 0
    let most = 0
    let done = 0
    const sampler = new Sampler({ log }, 1, async () => {
      most = Math.max(most, ++running)
      await after(15)
      running--
      done++
    })
    sampler.start()
    sampler.start()
    await waitUntil('some ticks', async () => done >= 3)
    await waitUntil('a running tick', async () => running === 1)
    const before = done
    await sampler.stop()
    expect([running, done, most]).toEqual([0, before + 1, 1])
  })

  it('goes on after a tick that failed, and logs it', async () => {
    let ticks = 0
    const sampler = new Sampler({ log }, 1, async () => {
      if (++ticks === 1) throw new Error('once')
    })
    sampler.start()
    await waitUntil('the next tick', async () => ticks >= 2)
    await sampler.stop()
    expect(lines.filter((line) => line.includes('sampling failed'))).toHaveLength(1)
  })
})
