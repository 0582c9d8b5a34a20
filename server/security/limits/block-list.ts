import { and, eq, isNull, lt, or } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { q, unit } from '@/db/unit'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'
import { networkOf } from '../sign-in/attempts'
import { blocksVersionKey, isAhead, remembersMs } from './block-units'
import { contains, type Network, parseNetwork } from './network'
import type { Blocked } from './types'

/** What another instance has changed is known here after this time, and the time of a query. */
const everyMs = 400
/** Read again even if nothing seems to have changed: the store may have been put back from a backup. */
const atLeastEveryMs = 30_000
const cleanEveryMs = 600_000

interface Lasting {
  network: Network
  until: number | null
}

export interface BlockList {
  /** The block that an address is under; null for an address of a trusted source. */
  blockOf(address: string): Blocked | null
  trusts(address: string): boolean
  /** Calls `listener` after every change, with the networks whose block has gone. Answers what stops it. */
  watch(listener: (gone: string[]) => void): () => void
  /** Reads blocks and trusted sources now: after a change of this instance. */
  refresh(): Promise<void>
  /** Resolves when they were read once, or could not be. */
  start(): Promise<void>
  close(): Promise<void>
}

/**
 * Blocks and trusted sources in memory, as the store has them: asked at every request, so without a query. A
 * number in the store tells when they changed. A store that does not answer changes nothing.
 */
export function openBlockList(
  { store, clock, log }: { store: Store; clock: Clock; log: Log },
  hooks: { tick?: () => Promise<void> } = {},
): BlockList {
  let version: string | undefined
  let readAt = Number.NEGATIVE_INFINITY
  let cleanedAt = clock.now()
  let single = new Map<string, Blocked>()
  let wide: { block: Blocked; network: Network }[] = []
  let trusted: Lasting[] = []
  const listeners = new Set<(gone: string[]) => void>()
  const ahead = (until: number | null) => until === null || until > clock.now()

  async function versionNow(): Promise<string> {
    const { meta } = store.tables
    const [row] = await store.db.select().from(meta).where(eq(meta.key, blocksVersionKey))
    return row?.value ?? ''
  }

  async function read(): Promise<void> {
    const { blocks, trustedSources } = store.tables
    const now = clock.now()
    // The number first: what changes between the two is read again.
    const at = await versionNow()
    const rows = await store.db
      .select({ blockId: blocks.id, network: blocks.network, until: blocks.expiresAt })
      .from(blocks)
      .where(and(isNull(blocks.liftedAt), isAhead(blocks.expiresAt, now)))
    const sources = await store.db
      .select({ network: trustedSources.network, until: trustedSources.expiresAt })
      .from(trustedSources)
      .where(isAhead(trustedSources.expiresAt, now))
    const before = [...single.keys(), ...wide.map(({ block }) => block.network)]
    single = new Map(rows.filter(isOneClient).map((block) => [block.network, block]))
    wide = rows.flatMap((block) => {
      const network = isOneClient(block) ? null : parseNetwork(block.network)
      return network ? [{ block, network }] : []
    })
    trusted = sources.flatMap(({ network: text, until }) => {
      const network = parseNetwork(text)
      return network ? [{ network, until }] : []
    })
    version = at
    readAt = clock.now()
    const kept = new Set(rows.map(({ network }) => network))
    const gone = before.filter((network) => !kept.has(network))
    for (const listener of listeners) listener(gone)
  }

  async function look(): Promise<void> {
    const late = Math.abs(clock.now() - readAt) >= atLeastEveryMs
    if (late || (await versionNow()) !== version) await read()
    await hooks.tick?.()
    if (clock.now() - cleanedAt < cleanEveryMs) return
    cleanedAt = clock.now()
    await store.run(removeOld, { before: clock.now() - remembersMs })
  }

  const failed = (error: unknown) => log.warn({ error }, 'blocks cannot be read: those of before stay')
  const polling = new Repeating({
    ...{ period: everyMs, pace: 'begin-to-begin', tick: look },
    failed: (error, again) => again || failed(error),
  })

  function trusts(address: string): boolean {
    const network = trusted.length > 0 ? parseNetwork(address) : null
    return (
      network !== null && trusted.some((source) => ahead(source.until) && contains(source.network, network))
    )
  }

  function find(address: string): Blocked | null {
    const one = single.get(networkOf(address))
    if (one && ahead(one.until)) return one
    const network = wide.length > 0 ? parseNetwork(address) : null
    if (!network) return null
    return wide.find((each) => ahead(each.block.until) && contains(each.network, network))?.block ?? null
  }

  return {
    trusts,
    blockOf(address) {
      const block = find(address)
      return block && !trusts(address) ? block : null
    },
    watch(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    refresh: read,
    async start() {
      await read().catch(failed)
      polling.start()
    },
    close: () => polling.stop(),
  }
}

const isOneClient = ({ network }: { network: string }) => !network.includes('/') || network.endsWith('::/64')

/** Removes blocks that are over and count for no later one. */
const removeOld = unit('blocks.clean', function* (tx, { before }: { before: number }) {
  const { blocks } = tx.tables
  yield* q(
    tx.db
      .delete(blocks)
      .where(
        and(lt(blocks.createdAt, before), or(lt(blocks.expiresAt, before), lt(blocks.liftedAt, before))),
      ),
  )
})
