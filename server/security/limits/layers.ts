import type { Store } from '@/db/store'
import { unit } from '@/db/unit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import { boundedMap } from '../bounded-map'
import { type AttemptLimits, networkOf } from '../sign-in/attempts'
import type { BlockList } from './block-list'
import { type BlockInput, blockNetwork } from './block-units'
import { type Counter, openCounter } from './counter'
import type { Told } from './told'
import type { Asking, Hit, LimitsConfig, Rate, SharedCounters } from './types'
import { rateText, spanText } from './words'

/** What an address may do at the ways in, unless configuration says otherwise: a person needs a few. */
const waysIn: Rate = { most: 30, windowMs: 60_000 }

/** The limits of single procedures, with those that configuration names. */
export function endpointRates(configured: Record<string, Rate | null>): Record<string, Rate | null> {
  return {
    'auth.signIn': waysIn,
    'auth.verify': waysIn,
    'auth.passkeySignIn': waysIn,
    'auth.setUp': waysIn,
    'auth.useLink': waysIn,
    ...configured,
  }
}

/** Between two tries to block a network, where the first changed nothing. */
const againMs = 10_000
/** Refusals by the attempt counters are told together for so long. */
export const accountWindowMs = 60_000

interface Deps {
  store: Store
  clock: Clock
  log: Log
  shared: SharedCounters | null
  told: Told
  list: BlockList
}

type Limit = Counter & { rate: Rate }

const block = unit('block.network', (tx, input: BlockInput) => blockNetwork(tx, input))

/**
 * Counts calls by address, procedure and user, and refused ones towards a block of their address. `account` are the
 * limits of the attempt counters in the store, which count for themselves.
 */
export function openLayers(
  { store, clock, log, shared, told, list }: Deps,
  config: LimitsConfig,
  account: AttemptLimits,
): { take(asking: Asking): Promise<void>; refused(asking: Asking, retryAfterMs: number): void } {
  const counter = (name: string, rate: Rate | null): Limit | null =>
    rate && { rate, ...openCounter(shared, { ...rate, name, prefix: config.prefix }) }
  const byAddress = counter('address', config.address)
  const byUser = counter('user', config.user)
  const byEndpoint = new Map(
    Object.entries(endpointRates(config.endpoints)).map(([name, rate]) => [
      name,
      counter(`endpoint:${name}`, rate),
    ]),
  )
  const refusals = counter('refusals', config.blockAfter)
  const tried = boundedMap<number>(10_000)

  list.watch((gone) => {
    // Whoever was let in again has all refusals before the next block, on each instance.
    for (const network of gone) {
      tried.delete(network)
      void refusals?.forget(network)
    }
  })

  async function takeOne(
    limit: Limit | null | undefined,
    asking: Asking,
    { layer, who }: Pick<Hit, 'layer' | 'who'>,
  ): Promise<void> {
    if (!limit) return
    const { over, resetMs } = await limit.take(who)
    if (!over) return
    const { endpoint, by } = asking
    const { rate } = limit
    told.tell(
      { layer, who, endpoint, limit: rateText(rate), until: clock.now() + resetMs },
      by,
      rate.windowMs,
    )
    // What a signed-in user does too often says nothing of the address, which others may share.
    if (who === networkOf(by.address ?? '')) countRefusal(asking)
    throw tooMany(resetMs)
  }

  function countRefusal({ by: { address }, endpoint, foreign }: Asking): void {
    if (!refusals || foreign || address === null || list.trusts(address)) return
    const network = networkOf(address)
    const count = async () => {
      const { over } = await refusals.take(network)
      const now = clock.now()
      if (!over || (tried.get(network) ?? 0) > now) return
      tried.set(network, now + againMs)
      const { most, windowMs } = refusals.rate
      const reason = `more than ${most} refused calls in ${spanText(windowMs)}, the last of ${endpoint}`
      const input = { network, reason, durationsMs: config.blockDurationsMs, createdBy: 'system', now }
      if (await store.run(block, { ...input, origin: 'limits' })) await list.refresh()
    }
    count().catch((error: unknown) => log.warn({ error, network }, 'a network could not be blocked'))
  }

  return {
    async take(asking) {
      const { session, endpoint } = asking
      const address = asking.by.address ?? 'unknown'
      const network = networkOf(address)
      const user = session && (session.kind === 'api-key' ? session.sessionId : session.userId)
      const trusted = list.trusts(address)
      if (!trusted) await takeOne(byAddress, asking, { layer: 'address', who: network })
      if (user) await takeOne(byUser, asking, { layer: 'user', who: user })
      if (user || !trusted)
        await takeOne(byEndpoint.get(endpoint), asking, { layer: 'endpoint', who: user ?? network })
    },
    refused(asking, retryAfterMs) {
      const who = networkOf(asking.by.address ?? 'unknown')
      const until = clock.now() + retryAfterMs
      const limit = rateText({ most: account.most, windowMs: account.windowMs })
      told.tell(
        { layer: 'account', who, endpoint: asking.endpoint, limit, until },
        asking.by,
        accountWindowMs,
      )
      countRefusal(asking)
    },
  }
}

/** The same whatever was asked for, and whoever is known. */
const tooMany = (retryAfterMs: number) =>
  new HoldfastError('TOO_MANY_REQUESTS', {
    message: 'There were too many requests.',
    remedy: 'Wait, then try again.',
    retryAfterMs,
  })
