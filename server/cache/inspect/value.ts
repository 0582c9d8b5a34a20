import { HoldfastError } from '@/server/errors'
import { type DescribedEntry, readEntry } from '../codec'
import type { RedisControl } from '../redis/types'
import { ask, asRefusal, bytesOf, isForbidden, numberOf, textOf } from './asking'
import { collectionOf } from './collections'
import { isOurs, readFacts } from './facts'
import { layOut } from './layout'
import { keyBytes } from './names'
import { stringText } from './text'
import type { KeyFacts, KeyValueFacts } from './types'
import { askForKeys } from './walk'

export interface ValueDeps {
  control: RedisControl
  prefix: Buffer
}

/** Bytes of a string that are shown. */
const SHOWN = 64 * 1024
/** Largest string under our prefix that is read whole, to be read as an entry: a larger one would hold up others. */
const LARGEST_ENTRY = 4 * 1024 * 1024

/** One key with its value, cut where it is long: no huge value is read whole. Throws NOT_FOUND, CACHE_UNAVAILABLE. */
export async function readKey(deps: ValueDeps, text: string): Promise<KeyValueFacts> {
  const key = keyBytes(text)
  const address = await deps.control.masterOf(key)
  const [idle, type, ttl, bytes, encoding] = await askForKeys(deps.control, address, [
    ['OBJECT', 'IDLETIME', key],
    ['TYPE', key],
    ['PTTL', key],
    ['MEMORY', 'USAGE', key, 'SAMPLES', 5],
    ['OBJECT', 'ENCODING', key],
  ])
  if (isForbidden(type)) throw asRefusal(type, 'TYPE')
  const facts = readFacts({ key, prefix: deps.prefix, type, ttl, bytes })
  if (!facts) throw gone()
  const value = await contentOf(deps, { address, key, facts, type: textOf(type) ?? '' })
  return { ...facts, encoding: textOf(encoding), idleSeconds: numberOf(idle), ...value }
}

type Value = Pick<KeyValueFacts, 'length' | 'shown' | 'content'>

interface Asked {
  address: string
  key: Buffer
  facts: KeyFacts
  /** Redis' word for it. */
  type: string
}

async function contentOf(deps: ValueDeps, asked: Asked): Promise<Value> {
  const { address, key, facts } = asked
  if (facts.type === 'other') return { length: 0, shown: 0, content: { kind: 'other', type: asked.type } }
  const value =
    facts.type === 'string'
      ? await stringOf(deps, asked)
      : await collectionOf(deps.control, { address, key, type: facts.type })
  // No collection is empty: one without elements was deleted while it was read.
  if (!value) throw gone()
  return value
}

async function stringOf({ control, prefix }: ValueDeps, { address, key }: Asked): Promise<Value> {
  const length = numberOf(await ask(control, address, 'STRLEN', key)) ?? 0
  const wanted = isOurs(key, prefix) && length <= LARGEST_ENTRY ? Math.max(length, SHOWN) : SHOWN
  const bytes = bytesOf(await ask(control, address, 'GETRANGE', key, 0, wanted - 1))
  const entry = bytes.length < length ? undefined : await readEntry(bytes)
  if (entry) return entryOf(entry)
  const { text, format, shown } = stringText(bytes.subarray(0, SHOWN), length <= SHOWN)
  return { length, shown, content: { kind: 'string', text, format } }
}

/** Shown are bytes of the value, of all that it has before compression. */
function entryOf(entry: DescribedEntry): Value {
  const { text, whole } = layOut(entry.value, SHOWN)
  const { codec, rawBytes, storedBytes, tags, writtenAt, staleUntil } = entry
  return {
    length: rawBytes,
    shown: whole ? rawBytes : Math.min(Buffer.byteLength(text), Math.max(rawBytes - 1, 0)),
    content: { kind: 'entry', text, codec, rawBytes, storedBytes, tags: [...tags], writtenAt, staleUntil },
  }
}

function gone(): HoldfastError {
  return new HoldfastError(
    'NOT_FOUND',
    'There is no such key in Redis: it was deleted, or its time was over.',
  )
}
