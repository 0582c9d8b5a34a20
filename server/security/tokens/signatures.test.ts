import { generateKeyPairSync } from 'node:crypto'
import type { JWK } from 'jose'
import { expect, it } from 'vitest'
import { es256, hs256 } from './signatures'

const jwkOf = (namedCurve: string) =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' }) as JWK

it('takes no key but one on P-256', () => {
  const refusal = 'A signing key is not on P-256.'
  expect(es256(jwkOf('P-256'))).toBeTypeOf('function')
  expect(() => es256(jwkOf('P-384'))).toThrow(refusal)
  expect(() => es256({ ...jwkOf('P-256'), kty: 'OKP' })).toThrow(refusal)
})

it('finds that a signature of another length does not fit, and never throws for it', () => {
  const signed = Buffer.from('signed')
  for (const fits of [es256(jwkOf('P-256')), hs256(Buffer.alloc(32, 1))]) {
    for (const length of [0, 1, 31, 32, 33, 63, 64, 65])
      expect(fits(signed, Buffer.alloc(length))).toBe(false)
  }
})
