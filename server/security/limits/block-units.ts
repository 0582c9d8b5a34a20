import { randomUUID } from 'node:crypto'
import type { AnyColumn } from 'drizzle-orm'
import { and, count, eq, gt, inArray, isNull, ne, or, type SQL } from 'drizzle-orm'
import { q, type Tx, type Work } from '@/db/unit'
import { appendAudit, type Caller, system } from '@/server/audit'
import { contains, type Network, networksAround, parseNetwork } from './network'

export interface BlockInput {
  /** An address or a network. */
  network: string
  /** Who asked for it: the limits, a threat rule, or a person. */
  origin: 'limits' | 'rule' | 'person'
  reason: string
  /** `system`, the rule's name, or a person's e-mail address. */
  createdBy: string
  findingId?: string | undefined
  /** How long; null: until somebody lifts it. Absent: longer each time, by `durationsMs`. */
  durationMs?: number | null | undefined
  /** Of the first, second, … automatic block of a network. */
  durationsMs?: readonly number[] | undefined
  /** Where a person asked for it. */
  by?: Caller | undefined
  now: number
}

export interface MadeBlock {
  blockId: string
  /** Null: until somebody lifts it. */
  expiresAt: number | null
}

/** 15 minutes, an hour, a day. */
export const blockDurationsMs: readonly number[] = [15 * 60_000, 3_600_000, 86_400_000]
/** So long an earlier automatic block makes the next one longer. */
export const remembersMs = 30 * 86_400_000

/**
 * Blocks a network: every instance refuses it within a second. Answers null where it is no network, belongs to a
 * trusted source or is blocked already; then nothing changes.
 */
export function* blockNetwork(tx: Tx, input: BlockInput): Work<MadeBlock | null> {
  const { blocks } = tx.tables
  const { origin, reason, createdBy, now } = input
  const network = parseNetwork(input.network)
  if (!network) return null
  yield* lockBlocks(tx)
  if (yield* isTrusted(tx, network, now)) return null
  if (yield* isBlocked(tx, network, now)) return null
  const level = yield* blocksBefore(tx, network, now)
  const durations = input.durationsMs ?? blockDurationsMs
  const durationMs =
    input.durationMs === undefined ? durations[Math.min(level, durations.length - 1)] : input.durationMs
  const expiresAt = durationMs == null ? null : now + durationMs
  const block = {
    ...{ id: randomUUID(), network: network.text, origin, reason, level, createdAt: now, expiresAt },
    ...{ createdBy, findingId: input.findingId ?? null },
  }
  yield* q(tx.db.insert(blocks).values(block))
  yield* changeBlocks(tx)
  yield* appendAudit(tx, {
    ...(input.by ?? { ...system, actor: createdBy, address: addressOf(network) }),
    time: now,
    event: origin === 'person' ? 'sys_block_added' : 'excess_address_blocked',
    outcome: 'success',
    target: `network:${network.text}`,
    reason,
    after: { blockId: block.id, origin, level, until: expiresAt, findingId: block.findingId },
  })
  return { blockId: block.id, expiresAt }
}

/** What changes with every change of blocks and trusted sources, in the table `meta`. */
export const blocksVersionKey = 'blocks-version'

/** One change of blocks and trusted sources at a time: each looks first at what there is. */
export function* lockBlocks(tx: Tx): Work<void> {
  const { meta } = tx.tables
  yield* q(
    tx.db
      .insert(meta)
      .values({ key: blocksVersionKey, value: '' })
      .onConflictDoUpdate({ target: meta.key, set: { key: blocksVersionKey } }),
  )
}

/** Lets every instance read blocks and trusted sources again. */
export function* changeBlocks(tx: Tx): Work<void> {
  const { meta } = tx.tables
  yield* q(tx.db.update(meta).set({ value: randomUUID() }).where(eq(meta.key, blocksVersionKey)))
}

/** Whether a moment is still to come; null is never. */
export function isAhead(column: AnyColumn, now: number): SQL | undefined {
  return or(isNull(column), gt(column, now))
}

export function* isTrusted(tx: Tx, network: Network, now: number): Work<boolean> {
  const { trustedSources } = tx.tables
  const rows = yield* q(
    tx.db
      .select({ network: trustedSources.network })
      .from(trustedSources)
      .where(isAhead(trustedSources.expiresAt, now)),
  )
  return rows.some((row) => {
    const trusted = parseNetwork(row.network)
    return trusted !== null && contains(trusted, network)
  })
}

function* isBlocked(tx: Tx, network: Network, now: number): Work<boolean> {
  const { blocks } = tx.tables
  const found = yield* q(
    tx.db
      .select({ id: blocks.id })
      .from(blocks)
      .where(
        and(
          inArray(blocks.network, networksAround(network)),
          isNull(blocks.liftedAt),
          isAhead(blocks.expiresAt, now),
        ),
      )
      .limit(1),
  )
  return found.length > 0
}

/** Automatic blocks of this network that nobody has lifted: those were a mistake. */
function* blocksBefore(tx: Tx, network: Network, now: number): Work<number> {
  const { blocks } = tx.tables
  const [before] = yield* q(
    tx.db
      .select({ blocks: count() })
      .from(blocks)
      .where(
        and(
          eq(blocks.network, network.text),
          gt(blocks.createdAt, now - remembersMs),
          ne(blocks.origin, 'person'),
          isNull(blocks.liftedAt),
        ),
      ),
  )
  return Number(before?.blocks ?? 0)
}

/** The address of a network that is one. */
function addressOf({ text }: Network): string | null {
  return text.includes('/') ? null : text
}
