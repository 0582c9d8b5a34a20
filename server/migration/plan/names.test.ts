import { describe, expect, it } from 'vitest'
import { NAME_BYTES, namer, quoteIdentifier, quoteLiteral } from './names'

describe('a name in SQL', () => {
  it('is quoted, with what it holds doubled', () => {
    expect(quoteIdentifier('a "b" c')).toBe('"a ""b"" c"')
    expect(quoteLiteral("it's")).toBe("'it''s'")
    expect(quoteLiteral("a\\b'c")).toBe("E'a\\\\b''c'")
  })
})

describe('names of one place', () => {
  const cut = /^(.*)_[0-9a-f]{8}$/

  it('stay as they are up to 63 bytes, and are cut on the edge of a character beyond', () => {
    const name = namer()
    const long = 'x'.repeat(NAME_BYTES)
    expect(name(long)).toBe(long)
    expect(name(`${long}y`)).toMatch(/^x{54}_[0-9a-f]{8}$/)
    const wide = name('é'.repeat(40))
    expect(cut.exec(wide)?.[1]).toBe('é'.repeat(27))
  })

  it('stay apart, and come out the same every time', () => {
    const names = () => {
      const name = namer()
      return ['a', 'a', 'a', `${'x'.repeat(70)}1`, `${'x'.repeat(70)}2`].map(name)
    }
    const first = names()
    expect(new Set(first).size).toBe(5)
    expect(first[0]).toBe('a')
    expect(first.slice(1).every((each) => cut.test(each))).toBe(true)
    expect(names()).toEqual(first)
  })
})
