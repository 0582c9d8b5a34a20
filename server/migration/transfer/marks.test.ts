import { describe, expect, it } from 'vitest'
import { random } from '@/db/testing/library'
import { countMarks } from './marks'

describe('countMarks', () => {
  it('counts as a loop over the bytes does, whatever the length and the remains of an earlier chunk', () => {
    const below = random(7)
    const some = [10, 31, 92, 65, 13, 0, 255]
    for (const length of [0, 1, 15, 16, 17, 31, 1000, 65_535, 65_536, 65_537, 65_560, 200_003]) {
      const chunk = Buffer.from(Array.from({ length }, () => some[below(some.length)] as number))
      const times = (byte: number) => chunk.filter((one) => one === byte).length
      expect(countMarks(chunk), String(length)).toEqual({
        lines: times(10),
        delimiters: times(31),
        backslashes: times(92),
      })
    }
  })
})
