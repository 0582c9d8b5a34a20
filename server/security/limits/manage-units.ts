import { randomUUID } from 'node:crypto'
import { and, eq, inArray, isNull, lte } from 'drizzle-orm'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import type { Privilege } from '../types'
import { blockNetwork, changeBlocks, isAhead, isTrusted, lockBlocks, type MadeBlock } from './block-units'
import { contains, type Network, parseNetwork } from './network'

export interface NewBlock {
  /** An address or a network in CIDR form. */
  network: string
  reason: string
  /** Null: until somebody lifts it. */
  durationMs: number | null
  /** Says that the own address may be among them. */
  confirmOwn?: boolean | undefined
}

interface AddInput extends NewBlock {
  by: Caller
  now: number
}

/** Blocks a network for a person. Throws BAD_INPUT, OWN_ADDRESS, and CONFLICT where it would change nothing. */
export const addBlock = unit('block.add', function* (tx, input: AddInput): Work<MadeBlock> {
  const { by, now, reason, durationMs, confirmOwn } = input
  const network = requireNetwork(input.network)
  const own = by.address === null ? null : parseNetwork(by.address)
  if (!confirmOwn && own && contains(network, own)) {
    throw new HoldfastError('OWN_ADDRESS', {
      message: `Your own address, ${by.address}, is in ${network.text}: you would lock yourself out.`,
      remedy: 'Block another network, or confirm that you mean your own.',
      details: { confirmOwn: true },
    })
  }
  if (yield* isTrusted(tx, network, now)) {
    throw new HoldfastError('CONFLICT', {
      message: `${network.text} belongs to a trusted source, which no block refuses.`,
      remedy: 'Remove the trusted source first.',
    })
  }
  const made = yield* blockNetwork(tx, {
    ...{ network: network.text, origin: 'person', reason, durationMs, createdBy: by.actor, by, now },
  })
  if (made) return made
  throw new HoldfastError('CONFLICT', {
    message: `${network.text} is blocked already.`,
    remedy: 'To change the block, lift it first.',
  })
})

interface LiftInput extends Privilege {
  blockId: string
  now: number
}

/** Takes a grant. Throws NOT_FOUND when the block is over. Answers its network. */
export const liftBlock = unit('block.lift', function* (tx, input: LiftInput): Work<string> {
  const { blockId, by, grantId, now } = input
  yield* useGrant(tx, { grantId, by, action: 'security.blocks.lift', input: { blockId }, now })
  const lifted = yield* lift(tx, [blockId], by, now)
  const [network] = lifted
  if (network === undefined) {
    throw new HoldfastError('NOT_FOUND', 'This block is over already, or there is none.')
  }
  return network
})

interface FreeInput {
  address: string
  by: Caller
  now: number
}

/** Lifts every block that an address is under; for the machine's own command line. Answers their networks. */
export const freeAddress = unit('block.free', function* (tx, { address, by, now }: FreeInput): Work<
  string[]
> {
  const network = requireNetwork(address)
  const { blocks } = tx.tables
  const rows = yield* q(
    tx.db
      .select({ id: blocks.id, network: blocks.network })
      .from(blocks)
      .where(and(isNull(blocks.liftedAt), isAhead(blocks.expiresAt, now))),
  )
  const over = rows.filter((row) => {
    const blocked = parseNetwork(row.network)
    return blocked !== null && (contains(blocked, network) || contains(network, blocked))
  })
  return yield* lift(
    tx,
    over.map(({ id }) => id),
    by,
    now,
  )
})

/** Lifts those of the blocks that still hold. Answers their networks. */
function* lift(tx: Tx, ids: string[], by: Caller, now: number): Work<string[]> {
  if (ids.length === 0) return []
  const { blocks } = tx.tables
  yield* lockBlocks(tx)
  const lifted = yield* q(
    tx.db
      .update(blocks)
      .set({ liftedAt: now, liftedBy: by.actor })
      .where(and(inArray(blocks.id, ids), isNull(blocks.liftedAt), isAhead(blocks.expiresAt, now)))
      .returning({ blockId: blocks.id, network: blocks.network, until: blocks.expiresAt }),
  )
  if (lifted.length > 0) yield* changeBlocks(tx)
  for (const { network, ...block } of lifted) {
    yield* appendAudit(tx, {
      ...{ ...by, time: now, event: 'sys_block_lifted', outcome: 'success' },
      ...{ target: `network:${network}`, before: block },
    })
  }
  return lifted.map(({ network }) => network)
}

export interface NewTrustedSource {
  network: string
  /** Who answers for it. */
  owner: string
  reason: string
  /** UTC milliseconds; null: for good. */
  expiresAt: number | null
}

interface TrustInput extends Privilege {
  source: NewTrustedSource
  now: number
}

/** Takes a grant. Throws BAD_INPUT, and CONFLICT when exactly this network is trusted already. */
export const addTrustedSource = unit('trusted-source.add', function* (tx, input: TrustInput): Work<string> {
  const { source, by, grantId, now } = input
  yield* useGrant(tx, { grantId, by, action: 'security.trusted.add', input: source, now })
  const network = requireNetwork(source.network)
  if (source.expiresAt !== null && source.expiresAt <= now) {
    throw new HoldfastError('BAD_INPUT', 'A trusted source ends in the future, or never.')
  }
  const { trustedSources } = tx.tables
  yield* lockBlocks(tx)
  yield* q(
    tx.db
      .delete(trustedSources)
      .where(and(eq(trustedSources.network, network.text), lte(trustedSources.expiresAt, now))),
  )
  const id = randomUUID()
  const row = { ...source, id, network: network.text, createdAt: now, createdBy: by.actor }
  const [made] = yield* q(
    tx.db.insert(trustedSources).values(row).onConflictDoNothing().returning({ id: trustedSources.id }),
  )
  if (!made) {
    throw new HoldfastError('CONFLICT', {
      message: `${network.text} is a trusted source already.`,
      remedy: 'To change it, remove it first.',
    })
  }
  yield* changeBlocks(tx)
  const { owner, reason, expiresAt } = source
  yield* appendAudit(tx, {
    ...{ ...by, time: now, event: 'sys_trusted_source_added', outcome: 'success' },
    ...{ target: `network:${network.text}`, reason, after: { owner, expiresAt } },
  })
  return id
})

/** Throws NOT_FOUND. */
export const removeTrustedSource = unit(
  'trusted-source.remove',
  function* (tx, { id, by, now }: { id: string; by: Caller; now: number }) {
    const { trustedSources } = tx.tables
    yield* lockBlocks(tx)
    const [removed] = yield* q(tx.db.delete(trustedSources).where(eq(trustedSources.id, id)).returning())
    if (!removed)
      throw new HoldfastError('NOT_FOUND', 'This trusted source is removed already, or there is none.')
    yield* changeBlocks(tx)
    const { network, owner, reason, expiresAt } = removed
    yield* appendAudit(tx, {
      ...{ ...by, time: now, event: 'sys_trusted_source_removed', outcome: 'success' },
      ...{ target: `network:${network}`, before: { owner, reason, expiresAt } },
    })
  },
)

/** The widest that a person may name: an eighth of the Internet by a slip of the pen is nobody's wish. */
const widest = { ipv4: 8, ipv6: 16 }

/** Throws BAD_INPUT. */
function requireNetwork(text: string): Network {
  const network = parseNetwork(text)
  if (!network) {
    throw new HoldfastError('BAD_INPUT', {
      message: 'This is no address and no network.',
      remedy: 'Write an address such as 203.0.113.9, or a network such as 203.0.113.0/24.',
    })
  }
  const least = network.bytes.length === 4 ? widest.ipv4 : widest.ipv6
  if (network.bits >= least) return network
  throw new HoldfastError('BAD_INPUT', {
    message: `${network.text} is too wide.`,
    remedy: `Name a /${widest.ipv4} at most for IPv4, and a /${widest.ipv6} for IPv6.`,
  })
}
