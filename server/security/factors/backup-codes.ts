import { randomBytes, randomUUID } from 'node:crypto'
import { and, eq, isNull } from 'drizzle-orm'
import { q, type Tx, type Work } from '@/db/unit'
import type { Vault } from '@/server/vault'

export const backupCodeCount = 10

/** Crockford's base32: no I, L, O, U, which are easily misread. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** 24 characters of 5 bits: 120 bits, beyond any guessing. */
const codeLength = 24

/** Ten new codes as they are shown: four groups of six, joined by dashes. */
export function newBackupCodes(): string[] {
  return Array.from({ length: backupCodeCount }, () => {
    const characters = Array.from(randomBytes(codeLength), (byte) => alphabet[byte % 32]).join('')
    return (characters.match(/.{6}/g) ?? []).join('-')
  })
}

/** The 24 characters of a code as people type it: case, dashes and spaces don't matter, nor O for 0. Null otherwise. */
export function plainBackupCode(typed: string): string | null {
  const code = typed.replace(/[\s-]/g, '').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1')
  return code.length === codeLength && [...code].every((each) => alphabet.includes(each)) ? code : null
}

/** What is stored of a code: a MAC with the master key, bound to its user. */
export function backupCodeMac({ vault }: { vault: Vault }, userId: string, plain: string): string {
  return vault.mac('backup-code', `${userId}|${plain}`).toString('base64url')
}

/** Codes to show once, and what to store of them. */
export function makeBackupCodes(deps: { vault: Vault }, userId: string): { shown: string[]; macs: string[] } {
  const shown = newBackupCodes()
  return { shown, macs: shown.map((code) => backupCodeMac(deps, userId, code.replaceAll('-', ''))) }
}

/** Puts new codes in the place of all former ones. */
export function* replaceBackupCodes(
  tx: Tx,
  { userId, macs, now }: { userId: string; macs: string[]; now: number },
): Work<void> {
  const { backupCodes } = tx.tables
  yield* q(tx.db.delete(backupCodes).where(eq(backupCodes.userId, userId)))
  yield* q(
    tx.db.insert(backupCodes).values(macs.map((mac) => ({ id: randomUUID(), userId, mac, createdAt: now }))),
  )
}

/** Uses a code up. False when there is none of this MAC, or it was used before. */
export function* spendBackupCode(
  tx: Tx,
  { userId, mac, now }: { userId: string; mac: string; now: number },
): Work<boolean> {
  const { backupCodes } = tx.tables
  const used = yield* q(
    tx.db
      .update(backupCodes)
      .set({ usedAt: now })
      .where(and(eq(backupCodes.userId, userId), eq(backupCodes.mac, mac), isNull(backupCodes.usedAt)))
      .returning({ id: backupCodes.id }),
  )
  return used.length === 1
}
