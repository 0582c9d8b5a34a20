import { describe, expect, it } from 'vitest'
import { encode } from '.'
import { decodeTogether, decodeUsual, UNUSUAL } from './usual'

const facts = { writtenAt: 1, freshUntil: 60_000, staleUntil: 60_000, tags: [] }

async function entryOf(value: unknown, more: { tags?: [string, string][] } = {}) {
  return (await encode(value, { ...facts, ...more })).entry
}

const long = (text: string, times: number) => ({ text: `${text} `.repeat(times) })

describe('Entries that are decoded together', () => {
  it('come back as each by itself does, compressed and plain, in any order', async () => {
    const values = [
      1,
      'ä€😀',
      null,
      long('compressed', 100),
      [],
      { a: '],[' },
      long('größer als Latein', 90),
      '',
    ]
    const entries = await Promise.all(values.map((value) => entryOf(value)))
    expect(decodeTogether(entries)).toEqual(values)
    expect(decodeTogether(entries)).toEqual(entries.map(decodeUsual))
    expect(decodeTogether(entries.slice(0, 3))).toEqual(values.slice(0, 3))
  })

  it('leave the others to whoever knows them: misses, tagged ones, what never answered', async () => {
    const tagged = await entryOf({ when: new Date(5) })
    const answers = [
      await entryOf(1),
      null,
      tagged,
      undefined,
      await entryOf(2),
      await entryOf(3, { tags: [['t', 'v']] }),
    ]
    expect(decodeTogether(answers)).toEqual([1, UNUSUAL, UNUSUAL, UNUSUAL, 2, UNUSUAL])
  })

  it('are each decoded alone when one of them is broken, so that the broken one alone is lost', async () => {
    const good = await entryOf(long('good', 300))
    const broken = Buffer.from(good)
    broken.fill(0xff, 40)
    expect(decodeTogether([good, broken, good])).toEqual([UNUSUAL, UNUSUAL, UNUSUAL])
    expect(decodeUsual(good)).toEqual(long('good', 300))
    expect(decodeUsual(broken)).toBe(UNUSUAL)
  })

  it('are never mistaken for one another when a plain one holds two values', async () => {
    const forged = Buffer.from(await entryOf(1234))
    forged.write('1,23', 24)
    expect(decodeTogether([forged, await entryOf(5)])).toEqual([UNUSUAL, UNUSUAL])
  })

  it('are taken in groups when there is much of them', async () => {
    const values = Array.from({ length: 60 }, (_, at) => long(`row ${at}`, 1_200))
    const entries = await Promise.all(values.map((value) => entryOf(value)))
    const decoded = decodeTogether(entries)
    expect(
      decoded.map((value, at) => (value === UNUSUAL ? decodeUsual(entries[at] as Buffer) : value)),
    ).toEqual(values.map((value, at) => (decodeUsual(entries[at] as Buffer) === UNUSUAL ? UNUSUAL : value)))
  })
})
