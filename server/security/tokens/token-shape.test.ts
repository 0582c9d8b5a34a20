import { describe, expect, it } from 'vitest'
import { encode } from '../testing/issuer'
import { readHeader } from './token-shape'

const header = { alg: 'ES256', typ: 'at+jwt', kid: 'key-1' }
const token = (head: unknown, claims: unknown = { sub: 'ana' }) => `${encode(head)}.${encode(claims)}.AAAA`

describe('the header of a token', () => {
  it('is read where it says algorithm, type and key, whatever they are', () => {
    expect(readHeader(token(header))).toEqual(header)
    expect(readHeader(token({ ...header, alg: 'none' }))).toEqual({ ...header, alg: 'none' })
  })

  it.each(['alg', 'typ', 'kid'])('is none without %s as a text', (name) => {
    expect(readHeader(token({ ...header, [name]: undefined }))).toBeNull()
    expect(readHeader(token({ ...header, [name]: 1 }))).toBeNull()
  })

  it('is none beside claims that are no object', () => {
    for (const claims of ['null', '[]', '["sub"]', '1', '"sub"', 'true', '{', ''])
      expect(readHeader(token(header, claims)), claims).toBeNull()
    for (const head of ['null', '[]', 'no JSON']) expect(readHeader(token(head)), head).toBeNull()
  })

  it('is read up to a length of 2,000', () => {
    const of = (length: number) => {
      const short = token(header, '{}')
      return `${short.slice(0, -4)}${'A'.repeat(length - short.length + 4)}`
    }
    // The length of a part in base64url is never one more than a multiple of four.
    const lengths = [1_996, 1_997, 1_998, 1_999, 2_000].filter((length) => readHeader(of(length)) !== null)
    expect(lengths).toContain(2_000)
    for (const length of [2_001, 2_002, 2_003, 2_004]) expect(readHeader(of(length))).toBeNull()
  })
})
