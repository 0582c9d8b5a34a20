import { type Info, parseInfo } from './connect'
import type { Group } from './group'
import type { Member } from './member'
import type { PendingKeys } from './pending'
import { isRefusal, isTelling, LateError, PlainError, reasonOf, redirectionOf } from './reasons'
import type { RecentKeys } from './recent'
import { connecting } from './state'

export interface RestoreDeps {
  group: Group
  prefix: string
  pending: PendingKeys
  recent: RecentKeys
  /** The next number in the order of all changes. */
  order: () => number
  /** Keys were deleted at a node, null: all of ours there. Redis tells of deletions by others, not of our own. */
  deleted: (keys: readonly string[] | null) => void
}

const BATCH = 500

/**
 * Half-open: one question is let through; when it is answered, the node is put in order and used. What changed while
 * it was away is deleted there first, so that no old value comes back to life. A used node that refused writes, or
 * has keys to delete, is looked after by the same steps. Never throws.
 */
export async function restore(deps: RestoreDeps, member: Member): Promise<void> {
  const { group } = deps
  try {
    member.silentSince ??= performance.now()
    await member.wire.ask('PING')
    const info = await infoOf(member)
    member.silentSince = null
    member.answeredAt = performance.now()
    checkRole(deps, member, info)
    group.apply(member, { type: 'probed' })
    await recognize(member, info)
    const refuses = (await putInOrder(deps, member)) ?? (await refusal(deps, member))
    member.failures = 0
    group.apply(member, { type: 'restored', refuses: refuses ?? (info.role === 'slave' ? REPLICA : null) })
  } catch (error) {
    fail(deps, member, error)
  }
}

const REPLICA = 'The server is a replica and takes no writes.'

function fail({ group }: RestoreDeps, member: Member, error: unknown): void {
  if (!(error instanceof LateError)) member.silentSince = null
  if ('cluster' in group.place && redirectionOf(error as Error)) {
    group.rediscover()
    group.apply(member, { type: 'lost', reason: 'Its keys moved to another node.' })
    return
  }
  if (error instanceof LateError && member.standing.use === 'used') {
    group.apply(member, { type: 'silent', write: true, reason: reasonOf(error) })
    return
  }
  // PING is answered and more isn't: trying that four times a second would only make noise.
  if (member.standing.use === 'probing' && isTelling(error)) {
    member.retryAt = performance.now() + Math.min(10_000, 250 * 2 ** member.failures++)
  }
  const vague = !isTelling(error) || (error instanceof LateError && member.standing.use === 'away')
  const reason = vague && member.standing.reason ? member.standing.reason : reasonOf(error)
  group.apply(member, { type: 'lost', reason: reason === connecting.reason ? reasonOf(error) : reason })
  // Who is no primary any more doesn't become it by waiting: another address may be.
  if (error instanceof PlainError) group.rediscover()
}

/** INFO; a user without the right to it makes every connection one to an unknown server. */
async function infoOf(member: Member): Promise<Info> {
  try {
    return parseInfo(await member.wire.ask('INFO'))
  } catch (error) {
    if (!/^(NOPERM|ERR unknown command)/.test((error as Error).message)) throw error
    return { run_id: `?${member.session}` }
  }
}

function checkRole({ group }: RestoreDeps, member: Member, info: Info): void {
  if (info.loading === '1') throw new PlainError('Redis is loading its data.')
  const { place } = group
  if (info.redis_mode === 'cluster' && !('cluster' in place)) {
    throw new PlainError('The server is a cluster: set REDIS_CLUSTER_ENABLED.')
  }
  if (info.redis_mode === 'sentinel') throw new PlainError('The server is a Sentinel.')
  if (info.role === 'slave' && (!('redis' in place) || member.dirty)) throw new PlainError(REPLICA)
}

/** Another process at the address, or another history, may have brought back an old snapshot: nothing is trusted. */
async function recognize(member: Member, info: Info): Promise<void> {
  const [run, history] = member.identity?.split(' ') ?? []
  const again = run === info.run_id
  // A primary that became a replica is judged by its history when it is a primary again.
  const now = info.role === 'slave' && again ? history : info.master_replid
  member.dirty ||= run !== undefined && !(again && history === now)
  member.identity = `${info.run_id} ${now}`
  if (member.dirty && info.role === 'slave') throw new PlainError(REPLICA)
  const id = Number(await member.wire.ask('CLIENT', 'ID').catch(() => Number.NaN))
  if (Number.isNaN(id)) return
  // What an earlier connection sent may lie unread in the server; it must not be executed after the deletions.
  const old = again ? member.connections.filter((connection) => connection !== id) : []
  await Promise.all(old.map((one) => member.wire.ask('CLIENT', 'KILL', 'ID', one).catch(() => undefined)))
  member.connections = [id]
}

/** Deletes what must not be read. Answers why it was refused, or null when nothing is left to delete. */
async function putInOrder(deps: RestoreDeps, member: Member): Promise<string | null> {
  const { recent } = deps
  const mine = (key: string) => deps.group.owner(key) === member
  if (member.behindSince !== null && !member.dirty) {
    const keys = recent.since(member.behindSince, mine)
    if (keys === undefined) member.dirty = true
    else {
      await unlink(deps, member, keys)
      deps.deleted(keys)
    }
    member.behindSince = null
  }
  if (member.dirty) {
    await deleteAll(deps, member)
    member.dirty = false
    member.behindSince = null
    deps.deleted(null)
  }
  while (member.owes) {
    member.owes = false
    const keys = deps.pending.size === 0 ? [] : deps.pending.keys(mine)
    try {
      await unlink(deps, member, keys)
    } catch (error) {
      member.owes = true
      if (!isRefusal(error as Error)) throw error
      return reasonOf(error)
    }
  }
  return null
}

async function deleteAll({ prefix }: RestoreDeps, { wire }: Member): Promise<void> {
  let cursor = '0'
  do {
    const [next, keys] = (await wire.ask('SCAN', cursor, 'MATCH', `${literal(prefix)}*`, 'COUNT', 1_000)) as [
      Buffer,
      Buffer[],
    ]
    await Promise.all(keys.map((key) => wire.ask('UNLINK', key)))
    cursor = String(next)
  } while (cursor !== '0')
}

async function unlink({ pending, order }: RestoreDeps, { wire }: Member, keys: string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += BATCH) {
    await Promise.all(
      keys.slice(at, at + BATCH).map(async (key) => {
        const now = order()
        await wire.ask('UNLINK', key)
        pending.taken(key, now)
      }),
    )
  }
}

/** Why a write is refused, tried with a key of ours; null when it is taken. */
async function refusal(deps: RestoreDeps, member: Member): Promise<string | null> {
  const key = probeKey(deps, member)
  if (key === undefined) return null
  try {
    await member.wire.ask('SET', key, '1', 'PX', 1_000)
    return null
  } catch (error) {
    if (isRefusal(error as Error)) return reasonOf(error)
    throw error
  }
}

/** A key that this node has; none when the prefix binds all keys to a slot of another one. */
function probeKey({ group, prefix }: RestoreDeps, member: Member): string | undefined {
  for (let number = 0; number < 2_000; number++) {
    const key = `${prefix}\0probe:${number}`
    if (group.owner(key) === member) return key
  }
  return undefined
}

/** A text as a pattern of SCAN that matches it alone. */
function literal(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&')
}
