import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Vault } from '@/server/vault'
import { challengeLife } from './challenges'

/** 32 bytes of chance, 8 of the time when it is over, 32 of their MAC. */
const parts = { chance: 32, expiry: 8, mac: 32 }
const signed = parts.chance + parts.expiry

const macOf = (vault: Vault, bytes: Buffer) => vault.mac('passkey-challenge', bytes)

/** What a passkey signs to sign in alone. It proves itself, so that anybody may ask without a row being written. */
export function newPasskeyChallenge({ vault }: { vault: Vault }, now: number): string {
  const bytes = Buffer.alloc(signed)
  randomBytes(parts.chance).copy(bytes)
  bytes.writeBigUInt64BE(BigInt(now + challengeLife), parts.chance)
  return Buffer.concat([bytes, macOf(vault, bytes)]).toString('base64url')
}

/** When a challenge of {@link newPasskeyChallenge} is over, UTC ms; null when we did not make it. */
export function passkeyChallengeExpiry({ vault }: { vault: Vault }, challenge: string): number | null {
  const bytes = Buffer.from(challenge, 'base64url')
  if (bytes.length !== signed + parts.mac || bytes.toString('base64url') !== challenge) return null
  const body = bytes.subarray(0, signed)
  if (!timingSafeEqual(macOf(vault, body), bytes.subarray(signed))) return null
  return Number(body.readBigUInt64BE(parts.chance))
}
