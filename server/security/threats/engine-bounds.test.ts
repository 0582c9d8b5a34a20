import { expect, it } from 'vitest'
import { createEngine, evaluate } from './engine'
import { place } from './testing/fixtures'
import { log } from './testing/rows'
import { mostEntriesInAll } from './window'

it('holds no more than it may, however many addresses attack', () => {
  const { fail } = log()
  const engine = createEngine(new Map(), { place })
  for (let at = 0; at < 36_000; at += 1_000) {
    evaluate(
      engine,
      Array.from({ length: 1_000 }, (_, number) => {
        const host = at + number
        return fail(`user${host}`, host, `10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`)
      }),
    )
  }
  for (const { groups } of engine.working) {
    expect(groups.map.size).toBeLessThanOrEqual(10_000)
    const entries = groups.map.values().reduce((sum, group) => sum + group.entries.length, 0)
    expect(groups.entries).toBe(entries)
    expect(entries).toBeLessThanOrEqual(mostEntriesInAll + 512)
  }
})
