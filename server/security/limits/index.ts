import type { Store } from '@/db/store'
import type { Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { endsWithin } from '@/server/patience'
import type { Vault } from '@/server/vault'
import { boundedMap } from '../bounded-map'
import type { AttemptLimits } from '../sign-in/attempts'
import type { Privilege } from '../types'
import { openBlockList } from './block-list'
import type { MadeBlock } from './block-units'
import { accountWindowMs, endpointRates, openLayers } from './layers'
import {
  type BlockEntry,
  type LockedAccount,
  limitedNow,
  listBlocks,
  listTrustedSources,
  lockedAccounts,
  type TrustedSourceEntry,
} from './lists'
import {
  addBlock,
  addTrustedSource,
  freeAddress,
  liftBlock,
  type NewBlock,
  type NewTrustedSource,
  removeTrustedSource,
} from './manage-units'
import { Told } from './told'
import type { Asking, Blocked, Limited, LimitsConfig, Rate, SharedCounters } from './types'

export type { BlockEntry, LockedAccount, TrustedSourceEntry } from './lists'
export type { NewBlock, NewTrustedSource } from './manage-units'
export type { Asking, Blocked, Limited, LimitsConfig, Rate, SharedCounters } from './types'

/** What is limited, and by how much. */
export interface LimitsState {
  /** Where calls are counted: in Redis for all instances, or in each instance alone. */
  counters: 'redis' | 'memory'
  address: Rate | null
  user: Rate | null
  endpoints: { endpoint: string; rate: Rate | null }[]
  account: AttemptLimits
  blockAfter: Rate | null
  blockDurationsMs: readonly number[]
  limited: Limited[]
  locked: LockedAccount[]
  /** The caller's own address, and whether it is a trusted source's. */
  own: { address: string | null; trusted: boolean }
  now: number
}

export interface Limits {
  /** Counts a call before anything is done for it. Throws TOO_MANY_REQUESTS. */
  take(asking: Asking): Promise<void>
  /** Counts a call that the attempt counters in the store refused. */
  refused(asking: Asking, retryAfterMs: number): void
  /** The block that an address is under. Asks nobody. */
  blockOf(address: string): Blocked | null
  /** Counts a request that was refused for a block. */
  noteRefused(blockId: string): void
  /** Calls `listener` when blocks have changed. Answers what stops it. */
  watch(listener: () => void): () => void
  state(by: Caller): Promise<LimitsState>
  blocks: {
    list(): Promise<BlockEntry[]>
    /** Throws BAD_INPUT, OWN_ADDRESS, CONFLICT. */
    add(block: NewBlock, by: Caller): Promise<MadeBlock>
    /** Takes a grant. Throws NOT_FOUND. */
    lift(block: { blockId: string }, use: Privilege): Promise<void>
  }
  trusted: {
    list(): Promise<TrustedSourceEntry[]>
    /** Takes a grant. Throws BAD_INPUT, CONFLICT. */
    add(source: NewTrustedSource, use: Privilege): Promise<{ id: string }>
    /** Throws NOT_FOUND. */
    remove(source: { id: string }, by: Caller): Promise<void>
  }
  /** Reads the blocks, so that none is missed from the first request on. */
  start(): Promise<void>
  close(): Promise<void>
}

/** The end waits no longer for a store that does not answer. */
const lastMs = 1_000

interface Deps {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
  shared: SharedCounters | null
}

/**
 * Lifts every block that an address is under, without a grant: for the machine's own command line. Answers their
 * networks. Throws BAD_INPUT.
 */
export function liftBlocks(
  { store, clock }: { store: Store; clock: Clock },
  address: string,
  by: Caller,
): Promise<string[]> {
  return store.run(freeAddress, { address, by, now: clock.now() })
}

/** Opens limits, blocks and trusted sources. `account` are the limits of the attempt counters in the store. */
export function openLimits(deps: Deps, config: LimitsConfig, account: AttemptLimits): Limits {
  const { store, clock, shared } = deps
  const told = new Told(deps)
  const list = openBlockList(deps, { tick: () => told.sweep() })
  const layers = openLayers({ ...deps, told, list }, config, account)
  const endpoints = Object.entries(endpointRates(config.endpoints)).map(([endpoint, rate]) => ({
    endpoint,
    rate,
  }))
  const windows = [config.address, config.user, ...endpoints.map(({ rate }) => rate)]
  const longestMs = Math.max(accountWindowMs, ...windows.map((rate) => rate?.windowMs ?? 0))
  const refusedFor = boundedMap<number>(10_000)

  return {
    ...layers,
    blockOf: list.blockOf,
    noteRefused: (blockId) => void refusedFor.set(blockId, (refusedFor.get(blockId) ?? 0) + 1),
    watch: (listener) => list.watch(() => listener()),
    async state({ address }) {
      const now = clock.now()
      const [limited, locked] = await Promise.all([
        limitedNow(deps, { now, longestMs, here: told.limited() }),
        lockedAccounts(deps, { now, longestMs: account.blockMs }),
      ])
      const { address: ofAddress, user, blockAfter, blockDurationsMs } = config
      return {
        counters: shared ? 'redis' : 'memory',
        ...{ address: ofAddress, user, endpoints, account, blockAfter, blockDurationsMs },
        ...{ limited, locked, now },
        own: { address, trusted: address !== null && list.trusts(address) },
      }
    },
    blocks: {
      list: () => listBlocks(deps, { now: clock.now(), refused: (id) => refusedFor.get(id) ?? 0 }),
      async add(input, by) {
        const made = await store.run(addBlock, { ...input, by, now: clock.now() })
        await list.refresh()
        return made
      },
      async lift({ blockId }, use) {
        await store.run(liftBlock, { blockId, ...use, now: clock.now() })
        await list.refresh()
      },
    },
    trusted: {
      list: () => listTrustedSources(deps, clock.now()),
      async add(source, use) {
        const id = await store.run(addTrustedSource, { source, ...use, now: clock.now() })
        await list.refresh()
        return { id }
      },
      async remove({ id }, by) {
        await store.run(removeTrustedSource, { id, by, now: clock.now() })
        await list.refresh()
      },
    },
    start: list.start,
    async close() {
      await endsWithin(lastMs, list.close())
      await endsWithin(lastMs, told.sweep({ all: true }))
    },
  }
}
