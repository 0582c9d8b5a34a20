import type { Clock } from '@/server/clock'
import type { RedisControl } from '../redis/types'
import { askAll, asRefusal, bytesOf, isForbidden, sure, type Word } from './asking'
import { type Drawn, estimate, type Group, type Stratum } from './estimate'
import { factsOf, isOurs, namespaceOf } from './facts'
import { escapeGlob, keyText } from './names'
import type { KeyFacts, KeyScope, SampleReport } from './types'
import { mastersOf, sizesOf, walkAll } from './walk'

/** Up to here all keys are counted, not drawn. */
const COUNTED = 2_000
/** A sample ends by the first of these. */
const WANTED = 1_000
const DRAWN = 10_000
const MILLISECONDS = 2_000

const STEP = 100
const BIGGEST = 20
const GROUPS = 100

interface SampleDeps {
  control: RedisControl
  clock: Clock
  prefix: Buffer
}

interface Key {
  id: string
  facts: KeyFacts
  group: Omit<Group, 'id'>
}

/**
 * The biggest keys and groups. Up to 2,000 keys all are counted; of more, keys are drawn at random on every master in
 * proportion to what it holds. For `ours`, foreign keys are drawn and put back. Throws CACHE_UNAVAILABLE.
 */
export async function readSample(deps: SampleDeps, scope: KeyScope): Promise<SampleReport> {
  const { control, clock, prefix } = deps
  // Without this right nothing could be told: it is asked for once, so that it is named plainly.
  const masters = await mastersOf(control)
  const [asked] = masters[0] ? await askAll(control, masters[0], [['MEMORY', 'USAGE', prefix]]) : []
  if (isForbidden(asked)) throw asRefusal(asked, 'MEMORY')
  const sizes = await sizesOf(control, masters)
  const size = [...sizes.values()].reduce((sum, keys) => sum + keys, 0)
  const strata = size <= COUNTED ? await countKeys(deps, scope) : await drawKeys(deps, scope, sizes)

  const keys = strata.flatMap(({ keys }) => keys)
  const { groups, total } = estimate(
    strata.map(({ size, tries, exact, keys }): Stratum => ({ size, tries, exact, drawn: keys.map(asDrawn) })),
  )
  return {
    sampled: keys.length,
    total,
    biggest: biggestOf(keys),
    groups: groups.slice(0, GROUPS),
    at: clock.now(),
  }
}

interface Sampled {
  /** Keys on this master. */
  size: number
  /** Draws, with those that weren't of the scope. */
  tries: number
  exact: boolean
  keys: Key[]
}

async function countKeys({ control, prefix }: SampleDeps, scope: KeyScope): Promise<Sampled[]> {
  const glob = scope === 'ours' ? Buffer.concat([escapeGlob(prefix), Buffer.from('*')]) : Buffer.from('*')
  const found = new Map<string, Map<string, Buffer>>()
  await walkAll(control, glob, async (address, keys) => {
    const own = found.get(address) ?? new Map<string, Buffer>()
    for (const key of keys) own.set(key.toString('latin1'), key)
    found.set(address, own)
  })
  return await Promise.all(
    [...found].map(async ([address, own]) => {
      const keys = await describe({ control, prefix, address }, [...own.values()])
      return { size: keys.length, tries: keys.length, exact: true, keys }
    }),
  )
}

async function drawKeys(
  { control, prefix }: SampleDeps,
  scope: KeyScope,
  sizes: Map<string, number>,
): Promise<Sampled[]> {
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  const deadline = performance.now() + MILLISECONDS
  return await Promise.all(
    [...sizes].map(async ([address, size]) => {
      const share = size / total
      const wanted = Math.ceil(WANTED * share)
      const most = Math.ceil(DRAWN * share)
      const sampled: Sampled = { size, tries: 0, exact: false, keys: [] }
      while (sampled.keys.length < wanted && sampled.tries < most && performance.now() < deadline) {
        const step = Math.min(
          STEP,
          most - sampled.tries,
          scope === 'all' ? wanted - sampled.keys.length : STEP,
        )
        const draws = Array.from({ length: step }, (): Word[] => ['RANDOMKEY'])
        const answers = (await askAll(control, address, draws)).map((answer) => sure(answer, 'RANDOMKEY'))
        const drawn = answers.filter((answer) => answer !== null).map(bytesOf)
        if (drawn.length === 0) break
        sampled.tries += drawn.length
        const within = scope === 'all' ? drawn : drawn.filter((key) => isOurs(key, prefix))
        sampled.keys.push(...(await describe({ control, prefix, address }, within)))
      }
      return sampled
    }),
  )
}

async function describe(
  { control, prefix, address }: { control: RedisControl; prefix: Buffer; address: string },
  keys: Buffer[],
): Promise<Key[]> {
  const facts = await factsOf(control, { address, prefix }, keys)
  return keys.flatMap((key, index) => {
    const known = facts[index]
    return known ? [{ id: key.toString('latin1'), facts: known, group: groupOf(key, prefix) }] : []
  })
}

/** The namespace of a key of ours, the part before the first colon of a foreign one; empty without a colon. */
function groupOf(key: Buffer, prefix: Buffer): Omit<Group, 'id'> {
  if (isOurs(key, prefix)) return { name: namespaceOf(key, prefix) ?? '', ours: true }
  const colon = key.indexOf(':')
  return { name: colon < 0 ? '' : keyText(key.subarray(0, colon)), ours: false }
}

function asDrawn({ id, facts, group }: Key): Drawn {
  return { id, bytes: facts.bytes ?? 0, group: { ...group, id: `${group.ours} ${group.name}` } }
}

function biggestOf(keys: Key[]): KeyFacts[] {
  const distinct = new Map(keys.map(({ id, facts }) => [id, facts]))
  return [...distinct.values()].sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0)).slice(0, BIGGEST)
}
