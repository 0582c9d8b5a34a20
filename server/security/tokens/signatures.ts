import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto'
import type { JWK } from 'jose'

/** Whether a signature fits what was signed. Never throws for a signature, whatever it is. */
export type VerifySignature = (signed: Buffer, signature: Buffer) => boolean

/** ES256 (RFC 7518, 3.4): ECDSA on P-256, two numbers of 32 bytes each. Half the CPU of WebCrypto's way over a thread. */
export function es256(publicJwk: JWK): VerifySignature {
  const { kty, crv, x, y } = publicJwk
  if (kty !== 'EC' || crv !== 'P-256') throw new Error('A signing key is not on P-256.')
  const key = createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' })
  return (signed, signature) =>
    signature.length === 64 && verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

/** HS256 (RFC 7518, 3.2): HMAC with SHA-256, compared in constant time. */
export function hs256(secret: Uint8Array): VerifySignature {
  return (signed, signature) =>
    signature.length === 32 &&
    timingSafeEqual(createHmac('sha256', secret).update(signed).digest(), signature)
}
