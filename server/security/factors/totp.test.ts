import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { checkTotp, newTotpSecret, plainTotpCode, stepSeconds, totpUri } from './totp'

/** The RFCs' secret, the ASCII text 12345678901234567890, in base32. */
const rfcSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

/** Codes whose step is exactly the current one. */
const exactly = (secret: string, code: string, seconds: number) =>
  checkTotp(secret, code, { now: seconds * 1000, window: 0, lastStep: 0 })

describe('the vectors of the standards', () => {
  // RFC 6238, appendix B, SHA-1: 8 digits, of which 6 digits are the last ones.
  it.each([
    [59, '94287082'],
    [1111111109, '07081804'],
    [1111111111, '14050471'],
    [1234567890, '89005924'],
    [2000000000, '69279037'],
    [20000000000, '65353130'],
  ])('accepts RFC 6238 at %i s', (seconds, eightDigits) => {
    expect(exactly(rfcSecret, eightDigits.slice(2), seconds)).toEqual({
      outcome: 'right',
      step: Math.floor(seconds / stepSeconds),
      drift: 0,
    })
    expect(exactly(rfcSecret, eightDigits, seconds)).toEqual({ outcome: 'wrong' })
  })

  // RFC 4226, appendix D: the counter is the time step. Step 0 is before any clock and counts as used.
  it.each([
    [1, '287082'],
    [2, '359152'],
    [3, '969429'],
    [4, '338314'],
    [5, '254676'],
    [6, '287922'],
    [7, '162583'],
    [8, '399871'],
    [9, '520489'],
  ])('accepts RFC 4226 at counter %i', (step, code) => {
    expect(exactly(rfcSecret, code, step * stepSeconds)).toEqual({ outcome: 'right', step, drift: 0 })
  })
})

const oathtool = spawnSync('oathtool', ['--version']).error === undefined

it.skipIf(!oathtool)('agrees with oathtool, an independent authenticator (needs it installed)', () => {
  for (let at = 1_700_000_000; at < 1_700_000_000 + 20 * 86_411; at += 86_411) {
    const secret = newTotpSecret()
    const now = new Date(at * 1000).toISOString().replace('T', ' ').replace(/\..*/, ' UTC')
    const code = execFileSync('oathtool', ['--totp', '--base32', '--now', now, secret], { encoding: 'utf8' })
    expect(exactly(secret, code, at)).toEqual({
      outcome: 'right',
      step: Math.floor(at / stepSeconds),
      drift: 0,
    })
  }
})

describe('codes of the RFC’s secret', () => {
  const at = (step: number, code: string, rules: { lastStep?: number; window?: number } = {}) =>
    checkTotp(rfcSecret, code, { now: step * stepSeconds * 1000, window: 2, lastStep: 0, ...rules })
  const nine = '520489'

  it('may be early or late by the window, and tell the drift', () => {
    expect(at(7, nine)).toEqual({ outcome: 'right', step: 9, drift: 60 })
    expect(at(11, nine)).toEqual({ outcome: 'right', step: 9, drift: -60 })
    expect(at(9, nine, { window: 0 })).toEqual({ outcome: 'right', step: 9, drift: 0 })
  })

  it('are refused beyond the window, with the drift', () => {
    expect(at(12, nine)).toEqual({ outcome: 'off', step: 9, drift: -90 })
    expect(at(6, nine)).toEqual({ outcome: 'off', step: 9, drift: 90 })
    expect(at(29, nine)).toEqual({ outcome: 'off', step: 9, drift: -600 })
    expect(at(30, nine)).toEqual({ outcome: 'wrong' })
    expect(at(10, nine, { window: 0 })).toEqual({ outcome: 'off', step: 9, drift: -30 })
  })

  it('work for steps after the last used one alone', () => {
    expect(at(9, nine, { lastStep: 8 }).outcome).toBe('right')
    expect(at(9, nine, { lastStep: 9 })).toEqual({ outcome: 'used' })
    expect(at(9, nine, { lastStep: 10 })).toEqual({ outcome: 'used' })
  })

  it('are refused, not failed on, when the clock was put back by days', () => {
    expect(at(9, nine, { lastStep: 50_000_000 })).toEqual({ outcome: 'used' })
  })

  it('may be typed with spaces, and are wrong in any other form', () => {
    expect(at(9, ' 520 489 ').outcome).toBe('right')
    expect(plainTotpCode('５２０４８９')).toBeNull()
    for (const wrong of ['', '52048', '5204890', '52048a', '-20489', '5e0489', '520489\u0000', '٥٢٠٤٨٩']) {
      expect(at(9, wrong)).toEqual({ outcome: 'wrong' })
    }
  })
})

it('makes secrets of 160 bits, each another one', () => {
  const secrets = Array.from({ length: 50 }, newTotpSecret)
  for (const secret of secrets) expect(secret).toMatch(/^[A-Z2-7]{32}$/)
  expect(new Set(secrets).size).toBe(50)
})

it('writes the URI that authenticator apps read', () => {
  const uri = new URL(totpUri({ issuer: 'Ana & Co', label: 'ana+1@example.org', secret: rfcSecret }))
  expect(uri.protocol).toBe('otpauth:')
  expect(uri.host).toBe('totp')
  expect(decodeURIComponent(uri.pathname)).toBe('/Ana & Co:ana+1@example.org')
  expect(Object.fromEntries(uri.searchParams)).toEqual({ secret: rfcSecret, issuer: 'Ana & Co' })
})
