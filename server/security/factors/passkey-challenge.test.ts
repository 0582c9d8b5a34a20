import { expect, it } from 'vitest'
import { openVault } from '@/server/vault'
import { testVault as vault } from '../testing/accounts'
import { challengeLife } from './challenges'
import { newPasskeyChallenge, passkeyChallengeExpiry } from './passkey-challenge'

const now = 1_760_000_000_000

it('knows its own challenges again and when they are over', () => {
  const one = newPasskeyChallenge({ vault }, now)
  const two = newPasskeyChallenge({ vault }, now)
  expect(one).not.toBe(two)
  expect(passkeyChallengeExpiry({ vault }, one)).toBe(now + challengeLife)
})

it('refuses a challenge that was changed anywhere, respelled or made with another key', () => {
  const challenge = newPasskeyChallenge({ vault }, now)
  const bytes = Buffer.from(challenge, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(passkeyChallengeExpiry({ vault }, changed.toString('base64url'))).toBeNull()
  }
  for (const other of ['', 'x', `${challenge}=`, `${challenge}AA`, `${challenge} `, challenge.slice(0, -4)]) {
    expect(passkeyChallengeExpiry({ vault }, other)).toBeNull()
  }
  const foreign = newPasskeyChallenge({ vault: openVault(Buffer.alloc(32, 8)) }, now)
  expect(passkeyChallengeExpiry({ vault }, foreign)).toBeNull()
})
