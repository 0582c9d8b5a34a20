import { and, desc, eq, gt, inArray } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Tables } from '@/db/tables'
import type { Vault } from '@/server/vault'
import { attemptKeys, factorKey, passwordKey } from '../sign-in/attempts'
import { keyOf } from './told'
import type { Limited } from './types'

/** Entries that a page shows at most. */
const most = 200

export type BlockEntry = Omit<Tables['blocks']['$inferSelect'], 'createdAt'> & {
  createdAt: number
  /** Whether it refuses requests now. */
  active: boolean
  /** Requests that this instance refused for it. */
  refused: number
}

/** Blocks, those that hold first, then the latest. */
export async function listBlocks(
  { store }: { store: Store },
  { now, refused }: { now: number; refused: (blockId: string) => number },
): Promise<BlockEntry[]> {
  const { blocks } = store.tables
  const rows = await store.db.select().from(blocks).orderBy(desc(blocks.createdAt), blocks.id).limit(most)
  const entries = rows.map((row) => ({
    ...row,
    active: row.liftedAt === null && (row.expiresAt === null || row.expiresAt > now),
    refused: refused(row.id),
  }))
  return entries.sort((a, b) => Number(b.active) - Number(a.active))
}

export type TrustedSourceEntry = Tables['trustedSources']['$inferSelect'] & { active: boolean }

export async function listTrustedSources(
  { store }: { store: Store },
  now: number,
): Promise<TrustedSourceEntry[]> {
  const { trustedSources } = store.tables
  const rows = await store.db.select().from(trustedSources).orderBy(trustedSources.network)
  return rows.map((row) => ({ ...row, active: row.expiresAt === null || row.expiresAt > now }))
}

/** What all instances refuse now: by their events, and more exactly by this one's own count. */
export async function limitedNow(
  { store }: { store: Store },
  { now, longestMs, here }: { now: number; longestMs: number; here: Limited[] },
): Promise<Limited[]> {
  const { auditEvents } = store.tables
  const rows = await store.db
    .select({ target: auditEvents.target, after: auditEvents.after })
    .from(auditEvents)
    .where(and(eq(auditEvents.event, 'excess_rate_limit_exceeded'), gt(auditEvents.time, now - longestMs)))
    .orderBy(desc(auditEvents.time))
    .limit(most)
  const limited = new Map(here.map((each) => [keyOf(each), each]))
  for (const { target, after } of rows) {
    const said = JSON.parse(after ?? '{}') as Partial<Limited>
    const { layer, endpoint, limit, hits, until } = said
    if (!layer || !endpoint || !limit || !hits || !until || until <= now) continue
    const each = { layer, endpoint, limit, hits, until, who: (target ?? '').replace(/^[a-z-]+:/, '') }
    if (!limited.has(keyOf(each))) limited.set(keyOf(each), each)
  }
  return [...limited.values()].sort((a, b) => b.until - a.until).slice(0, most)
}

/** An account that takes no proof now: from one address, from everywhere, or of its factor. */
export interface LockedAccount {
  /** The e-mail address as it was typed or is stored. */
  account: string
  address: string | null
  reason: string | null
  until: number
}

/** Accounts that are locked now: those of the log's locks whose counter still holds. */
export async function lockedAccounts(
  deps: { store: Store; vault: Vault },
  { now, longestMs }: { now: number; longestMs: number },
): Promise<LockedAccount[]> {
  const { store } = deps
  const { auditEvents: events, attemptCounters: counters } = store.tables
  const locks = await store.db
    .select({ actor: events.actor, address: events.address, target: events.target, reason: events.reason })
    .from(events)
    .where(and(eq(events.event, 'authn_login_lock'), gt(events.time, now - longestMs)))
    .orderBy(desc(events.time))
    .limit(most)
  const keysOf = ({ actor, address, target }: (typeof locks)[number]) => [
    ...Object.values(attemptKeys(deps, { email: actor, address })),
    ...(target === null ? [] : [factorKey(target), passwordKey(target)]),
  ]
  const keys = [...new Set(locks.flatMap(keysOf))]
  if (keys.length === 0) return []
  const held = new Map<string, number>()
  for (const { key, until } of await store.db
    .select({ key: counters.key, until: counters.blockedUntil })
    .from(counters)
    .where(and(inArray(counters.key, keys), gt(counters.blockedUntil, now)))) {
    held.set(key, until as number)
  }
  const locked = new Map<string, LockedAccount>()
  for (const lock of locks) {
    const until = Math.max(0, ...keysOf(lock).map((key) => held.get(key) ?? 0))
    const { actor: account, address, reason } = lock
    if (until > 0 && !locked.has(`${account}|${address}`))
      locked.set(`${account}|${address}`, { account, address, reason, until })
  }
  return [...locked.values()]
}
