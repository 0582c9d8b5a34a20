import { and, asc, eq, isNotNull } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Role } from '@/db/tables'
import { q, type Tx, type Work } from '@/db/unit'
import type { FactorKind } from '../types'
import { factorPolicyKey, requiredRoles } from './factor-policy'

/** The store, or a unit's transaction: whatever can be read from. */
type Readable = Pick<Store, 'db' | 'tables'>

/** The active factors of a user, with what proving them needs. */
export async function factorsOf({ db, tables }: Readable, userId: string) {
  const { totpFactors, passkeys, backupCodes } = tables
  const [apps, keys, codes] = await Promise.all([
    db
      .select()
      .from(totpFactors)
      .where(and(eq(totpFactors.userId, userId), isNotNull(totpFactors.activatedAt))),
    db
      .select()
      .from(passkeys)
      .where(eq(passkeys.userId, userId))
      .orderBy(asc(passkeys.createdAt), asc(passkeys.id)),
    db
      .select({ usedAt: backupCodes.usedAt, createdAt: backupCodes.createdAt })
      .from(backupCodes)
      .where(eq(backupCodes.userId, userId)),
  ])
  return { totp: apps[0] ?? null, passkeys: keys, backupCodes: codes }
}

export type UserFactors = Awaited<ReturnType<typeof factorsOf>>

/** What a user can prove now. Backup codes stand in for another factor: alone they are none. */
export function kindsOf({ totp, passkeys, backupCodes }: UserFactors): FactorKind[] {
  const strong = [totp && 'totp', passkeys.length > 0 && 'passkey'] as const
  const kinds: FactorKind[] = strong.filter((kind) => kind !== null && kind !== false)
  const spare = kinds.length > 0 && backupCodes.some(({ usedAt }) => usedAt === null)
  return spare ? [...kinds, 'backup-code'] : kinds
}

/** How many factors a user has that can step up, read inside a unit. Lock the user's row before. */
export function* countFactors(tx: Tx, userId: string): Work<number> {
  const { totpFactors, passkeys } = tx.tables
  const apps = yield* q(
    tx.db
      .select({ id: totpFactors.id })
      .from(totpFactors)
      .where(and(eq(totpFactors.userId, userId), isNotNull(totpFactors.activatedAt))),
  )
  const keys = yield* q(tx.db.select({ id: passkeys.id }).from(passkeys).where(eq(passkeys.userId, userId)))
  return apps.length + keys.length
}

const policy = ({ db, tables }: Readable) =>
  db.select().from(tables.meta).where(eq(tables.meta.key, factorPolicyKey))

/** Whether the policy asks a second factor of a role. */
export async function roleNeedsFactor(deps: Readable, role: Role): Promise<boolean> {
  const [row] = await policy(deps)
  return requiredRoles(row?.value).includes(role)
}

/** The same inside a unit. */
export function* roleNeedsFactorNow(tx: Tx, role: Role): Work<boolean> {
  const [row] = yield* q(policy(tx))
  return requiredRoles(row?.value).includes(role)
}
