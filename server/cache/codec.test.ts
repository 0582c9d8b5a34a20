import { describe, expect, it } from 'vitest'
import { decode, encode } from './codec'

describe('codec', () => {
  it('brings JSON values back, null and empty ones too', () => {
    for (const value of [null, 0, '', false, [], {}, 'ünïcödé 🦊', { a: [1, { b: null }] }]) {
      expect(decode(encode(value))).toEqual({ value })
    }
  })

  it('refuses what JSON cannot carry', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    for (const value of [undefined, () => 1, Symbol('s'), 1n, circle]) expect(() => encode(value)).toThrow()
  })

  it('takes entries of an unknown format and broken ones for absent', () => {
    expect(decode(Buffer.from([9, 1, 2]))).toBe(undefined)
    expect(decode(Buffer.alloc(0))).toBe(undefined)
    expect(decode(encode('long enough').subarray(0, 5))).toBe(undefined)
  })
})
