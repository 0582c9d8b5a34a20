import { randomUUID } from 'node:crypto'
import { and, eq, gt, isNull } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Role } from '@/db/tables'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller, system } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { hashOf, newOpaqueToken } from '../tokens/opaque-token'

/** How long a printed link works: somebody may find it later in an old log. */
export const setUpLinkLife = 24 * 3_600_000

/** The row that can be inserted once in the life of a store: whoever inserts it is the first admin. */
const firstAdmin = 'first-admin'

/** Whether the console still waits for its first admin. */
export async function needsSetUp({ store }: { store: Store }): Promise<boolean> {
  const { meta, users } = store.tables
  const [claimed] = await store.db.select().from(meta).where(eq(meta.key, firstAdmin))
  if (claimed) return false
  const [admin] = await store.db.select({ id: users.id }).from(users).where(eq(users.role, 'admin')).limit(1)
  return !admin
}

const saveLink = unit('set-up.link', function* (tx, { hash, now }: { hash: string; now: number }) {
  const id = randomUUID()
  const expiresAt = now + setUpLinkLife
  yield* q(
    tx.db.insert(tx.tables.oneTimeTokens).values({ id, kind: 'set-up', hash, createdAt: now, expiresAt }),
  )
  yield* appendAudit(tx, {
    ...system,
    time: now,
    event: 'authn_token_created',
    outcome: 'success',
    target: `one-time-token:${id}`,
    after: { kind: 'set-up', expiresAt },
  })
})

/** Makes the token of a set-up link, while there is no admin; otherwise null. Only its SHA-256 is stored. */
export async function createSetUpToken({ store }: { store: Store }, now: number): Promise<string | null> {
  if (!(await needsSetUp({ store }))) return null
  const token = newOpaqueToken()
  await store.run(saveLink, { hash: hashOf(token), now })
  return token
}

/** Whether a link would work now: 'used' also where an admin exists, 'unknown' also where it is too old. */
export async function setUpLinkState(
  { store }: { store: Store },
  token: string,
  now: number,
): Promise<'usable' | 'used' | 'unknown'> {
  if (!(await needsSetUp({ store }))) return 'used'
  const { oneTimeTokens: links } = store.tables
  const [link] = await store.db
    .select({ usedAt: links.usedAt })
    .from(links)
    .where(and(eq(links.hash, hashOf(token)), eq(links.kind, 'set-up'), gt(links.expiresAt, now)))
  if (!link) return 'unknown'
  return link.usedAt === null ? 'usable' : 'used'
}

export interface NewUser {
  email: string
  name: string
  passwordHash: string
}

interface FinishInput {
  tokenHash: string
  user: NewUser
  by: Caller
  now: number
}

/** Uses the link up and makes the first admin. Of any number at once one wins; the others get LINK_USED or ALREADY_SET_UP. */
export const finishSetUp = unit('set-up.finish', function* (tx, { tokenHash, user, by, now }: FinishInput) {
  const { oneTimeTokens: links } = tx.tables
  const used = yield* q(
    tx.db
      .update(links)
      .set({ usedAt: now })
      .where(
        and(
          eq(links.hash, tokenHash),
          eq(links.kind, 'set-up'),
          isNull(links.usedAt),
          gt(links.expiresAt, now),
        ),
      )
      .returning({ id: links.id }),
  )
  if (used.length === 0) throw linkUsed()
  const id = yield* insertUser(tx, { ...user, role: 'admin', now })
  if (!(yield* claimFirstAdmin(tx, id))) throw alreadySetUp()
  yield* appendAudit(tx, {
    ...by,
    actorId: id,
    actor: user.email,
    time: now,
    event: 'user_created',
    outcome: 'success',
    target: id,
    reason: 'set-up link',
    after: { email: user.email, name: user.name, role: 'admin' },
  })
  return { userId: id }
})

interface CreateInput {
  user: NewUser & { role: Role }
  by: Caller
  now: number
}

/** Makes a user outright, from the machine's command line. CONFLICT when the address is taken. */
export const createUser = unit('user.create', function* (tx, { user, by, now }: CreateInput) {
  const id = yield* insertUser(tx, { ...user, now })
  if (user.role === 'admin') yield* claimFirstAdmin(tx, id)
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'user_created',
    outcome: 'success',
    target: id,
    after: { email: user.email, name: user.name, role: user.role },
  })
  return { userId: id }
})

function* insertUser(tx: Tx, user: NewUser & { role: Role; now: number }): Work<string> {
  const { now, ...fields } = user
  const id = randomUUID()
  const made = yield* q(
    tx.db
      .insert(tx.tables.users)
      .values({
        ...{ id, ...fields, state: 'active' },
        ...{ passwordChangedAt: now, createdAt: now, updatedAt: now },
      })
      .onConflictDoNothing()
      .returning({ id: tx.tables.users.id }),
  )
  if (made.length === 0)
    throw new HoldfastError('CONFLICT', `A user with the address ${user.email} exists already.`)
  return id
}

function* claimFirstAdmin(tx: Tx, userId: string): Work<boolean> {
  const claimed = yield* q(
    tx.db
      .insert(tx.tables.meta)
      .values({ key: firstAdmin, value: userId })
      .onConflictDoNothing()
      .returning({ key: tx.tables.meta.key }),
  )
  return claimed.length === 1
}

export const linkUsed = () =>
  new HoldfastError('LINK_USED', {
    message: 'This set-up link was used already, or it is too old.',
    remedy: 'Restart Holdfast: it prints a new link while there is no admin.',
  })

export const alreadySetUp = () =>
  new HoldfastError('ALREADY_SET_UP', {
    message: 'This console has its first admin already.',
    remedy: 'Sign in, or ask an admin for an invitation.',
  })
