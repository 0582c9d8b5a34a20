import { randomBytes } from 'node:crypto'
import type { TagVersions } from '../codec'
import type { Copy } from '../local/level'
import { tagKey } from './keys'
import type { Levels } from './levels'

/** How long an unused tag is remembered; values that outlive it become misses. */
const TAG_LIFE = 30 * 86_400_000
const newVersion = () => randomBytes(9).toString('base64url')

/**
 * The versions of tags, made where there are none. A value carries those that held before it was computed, so that
 * one whose tag was invalidated meanwhile is a miss from the start.
 */
export async function tagVersions(
  levels: Levels,
  namespace: string,
  tags: readonly string[],
): Promise<TagVersions> {
  if (tags.length === 0) return []
  const found = await readVersions(levels, namespace, tags)
  return Promise.all(
    tags.map(
      async (tag, at) => [tag, found[at] ?? (await makeVersion(levels, tagKey(namespace, tag)))] as const,
    ),
  )
}

/** Whether every tag of a value still has the version that the value carries. */
export async function tagsHold(levels: Levels, namespace: string, tags: TagVersions): Promise<boolean> {
  if (tags.length === 0) return true
  const names = tags.map(([tag]) => tag)
  const found = await readVersions(levels, namespace, names)
  return tags.every(([, version], at) => found[at] === version)
}

/** Gives tags new versions: what carries the former ones is a miss on every instance. */
export async function invalidateTags(
  levels: Levels,
  namespace: string,
  tags: readonly string[],
): Promise<void> {
  const items = tags.map((tag) => ({ key: tagKey(namespace, tag), version: newVersion() }))
  for (const { key, version } of items) {
    levels.recent.note(key)
    keepVersion(levels, key, version)
  }
  await levels.redis?.mset(
    items.map(({ key, version }) => ({ key, entry: Buffer.from(version), ttl: TAG_LIFE })),
  )
}

/** In the order of the tags; undefined for a tag without a version. */
async function readVersions(
  levels: Levels,
  namespace: string,
  tags: readonly string[],
): Promise<(string | undefined)[]> {
  const { redis, local, recent } = levels
  const keys = tags.map((tag) => tagKey(namespace, tag))
  const copies = keys.map((key) => local.get(key))
  const kept = copies.map(versionOf)
  const trusted = levels.localServes() && copies.every((copy) => copy && !recent.lostSince(copy.mark))
  if (!redis || trusted) return kept
  const mark = recent.mark()
  const answers = await redis.mget(keys)
  return answers.map((answer, at) => {
    // Without an answer, what this process knows is the best there is.
    if (answer === undefined) return kept[at]
    if (answer === null) return undefined
    const version = answer.toString('latin1')
    const key = keys[at] as string
    if (levels.keepsCopies && !recent.changedSince(key, mark)) keepVersion(levels, key, version)
    return version
  })
}

async function makeVersion(levels: Levels, key: string): Promise<string> {
  const { redis } = levels
  const version = newVersion()
  const made = redis ? await redis.lock(key, version, TAG_LIFE) : true
  if (made === false) {
    const answer = await redis?.get(key)
    if (answer) return answer.toString('latin1')
  }
  if (!redis || made === undefined || levels.keepsCopies) keepVersion(levels, key, version)
  return version
}

function versionOf(copy: Copy | undefined): string | undefined {
  return copy?.held.kind === 'primitive' ? String(copy.held.value) : undefined
}

function keepVersion({ local, clock, recent }: Levels, key: string, version: string): void {
  const until = clock.now() + TAG_LIFE
  const held = { kind: 'primitive', value: version } as const
  local.set(key, { held, tags: [], freshUntil: until, staleUntil: until, mark: recent.mark() }, until)
}
