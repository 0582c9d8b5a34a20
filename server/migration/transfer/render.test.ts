import { describe, expect, it } from 'vitest'
import { isClean, plainDecimal } from './render'

const U = '\x1f'
const clean = (text: string, rows: number, columns: number, backslashes: number) =>
  isClean(Buffer.from(text), rows, columns, backslashes)

describe('a rendered chunk', () => {
  it('is clean when its separators are those of its rows', () => {
    expect(clean(`1${U}a\n2${U}b\n`, 2, 2, 0)).toBe(true)
    expect(clean(`1${U}é東京🚀 and a longer text\n2${U}\\N\n`, 2, 2, 1)).toBe(true)
    expect(clean('', 0, 1, 0)).toBe(true)
  })
  it('is not when a value holds a line end, a delimiter, a backslash or a carriage return', () => {
    expect(clean(`1${U}a\nb\n2${U}c\n`, 2, 2, 0)).toBe(false)
    expect(clean(`1${U}a${U}b\n2${U}c\n`, 2, 2, 0)).toBe(false)
    expect(clean(`1${U}a\\b\n2${U}c\n`, 2, 2, 0)).toBe(false)
    expect(clean(`1${U}\\N\n2${U}\\N\n`, 2, 2, 1)).toBe(false)
    expect(clean(`1${U}a\rb\n2${U}c\n`, 2, 2, 0)).toBe(false)
  })
  it('counts at every offset and length of a word', () => {
    for (let lead = 0; lead < 9; lead++) {
      const pool = Buffer.concat([Buffer.alloc(lead, 65), Buffer.from(`${'x'.repeat(lead)}${U}y\n`)])
      const chunk = pool.subarray(lead)
      expect(isClean(chunk, 1, 2, 0), String(lead)).toBe(true)
      expect(isClean(chunk, 2, 2, 0), String(lead)).toBe(false)
    }
  })
})

describe('a decimal', () => {
  it('is written plainly, as trim_scale does', () => {
    const cases = {
      '100.0': '100',
      '0.5': '0.5',
      '-0.0': '0',
      '1.0e+22': '10000000000000000000000',
      '1.25e-07': '0.000000125',
      '-1.2345678901234568e+17': '-123456789012345680',
      '123.450': '123.45',
      '4.9406564584124654e-324': `0.${'0'.repeat(323)}49406564584124654`,
      Inf: 'Infinity',
      '-Inf': '-Infinity',
      '7': '7',
    }
    for (const [text, plain] of Object.entries(cases)) expect(plainDecimal(text), text).toBe(plain)
  })
})
