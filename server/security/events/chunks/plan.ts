import { severities } from '@/server/audit/severity'
import { type EventFilter, isNamed, ownSource, wordsOf } from '../filter'
import { bytesOf, lies, parseSought } from '../network'
import { CHUNK, type Columns, outcomes, startOf, type TextField } from './columns'
import { keys, mayHold, networkKey } from './values'

/** What is known of a chunk without opening it. */
export interface ChunkFacts {
  id: number
  /** Null where nobody has looked yet. */
  times: { min: number; max: number } | null
  values: Uint8Array | null
}

/** A filter made ready for chunks. */
export interface Plan {
  /** False where no event of a chunk can be meant. */
  may(facts: ChunkFacts): boolean
  /** The places in the arrays of the events that are meant, in order, between two numbers, both exclusive. */
  select(columns: Columns, after: number, before: number): Uint16Array
}

/** Where the words of a free text are looked for. */
const searched: TextField[] = ['event', 'actor', 'target', 'reason', 'address', 'userAgent', 'source']

/** Makes a filter ready. It decides as `matcherOf` does, on columns in place of rows. */
export function planOf(filter: EventFilter): Plan {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = filter
  const tests = testsOf(filter)
  const outcomeBits = filter.outcomes?.length ? allowed(outcomes, filter.outcomes) : null
  const severityBits = filter.severities?.length ? allowed(severities, filter.severities) : null
  const words = wordsOf(filter.text)
  const wanted = keysWanted(filter)

  function narrow(columns: Columns, places: Uint16Array): Uint16Array {
    let left = places
    if (outcomeBits) left = having(left, [{ codes: columns.outcomes, bits: outcomeBits }])
    if (severityBits) left = having(left, [{ codes: columns.severities, bits: severityBits }])
    for (const test of tests) if (left.length > 0) left = having(left, [test(columns)])
    for (const word of words) if (left.length > 0) left = having(left, hitsOf(columns, word))
    return left
  }

  return {
    may({ times, values }) {
      if (times && (times.max < from || times.min >= to)) return false
      return !values || wanted.every((some) => mayHold(values, some))
    },
    select(columns, after, before) {
      const places = everyPlace.subarray(0, columns.events)
      const start = startOf(columns.id)
      const inside = after <= start && before > start + CHUNK
      const whole = inside && from <= columns.minTime && columns.maxTime < to
      const first = whole
        ? places
        : places.filter((place) => {
            const time = columns.times[place] as number
            const seq = start + (columns.places[place] as number)
            return time >= from && time < to && seq > after && seq < before
          })
      return narrow(columns, first)
    },
  }
}

const everyPlace = Uint16Array.from({ length: CHUNK }, (_, place) => place)

const allowed = (all: readonly string[], some: readonly string[]) =>
  Uint8Array.from(all, (one) => (some.includes(one) ? 1 : 0))

/** For each code of a field whether it is meant. */
interface Hits {
  codes: Uint8Array | Uint16Array
  bits: Uint8Array
}

/** The places that have a code that is meant in one of the fields. */
function having(places: Uint16Array, fields: readonly Hits[]): Uint16Array {
  const left = new Uint16Array(places.length)
  let count = 0
  for (let at = 0; at < places.length; at++) {
    const place = places[at] as number
    for (const { codes, bits } of fields) {
      if (bits[codes[place] as number] !== 1) continue
      left[count++] = place
      break
    }
  }
  return left.subarray(0, count)
}

/** What a filter asks of single fields: for each the texts of a chunk that fit. */
function testsOf(filter: EventFilter): ((columns: Columns) => Hits)[] {
  const { events, address, target, source, session } = filter
  const tests: ((columns: Columns) => Hits)[] = []
  const add = (field: TextField, fits: (value: string | null) => boolean) =>
    tests.push(
      ({
        texts: {
          [field]: { values, codes },
        },
      }) => ({
        codes,
        bits: Uint8Array.from(values, (value) => (fits(value) ? 1 : 0)),
      }),
    )
  if (events?.length) add('event', (event) => event !== null && isNamed(event, events))
  if (target !== undefined) add('target', (value) => value === target)
  if (source !== undefined) add('source', (value) => (value ?? ownSource) === source)
  if (session !== undefined) add('sessionId', (value) => value === session)
  const actor = filter.actor?.toLowerCase()
  if (actor !== undefined)
    tests.push((columns) => ({
      codes: columns.texts.actor.codes,
      bits: Uint8Array.from(loweredOf(columns, 'actor'), (value) => (value === actor ? 1 : 0)),
    }))
  if (address !== undefined) {
    const sought = parseSought(address)
    tests.push((columns) => ({
      codes: columns.texts.address.codes,
      bits: Uint8Array.from(addressesOf(columns), (own) => (sought && own && lies(sought, own) ? 1 : 0)),
    }))
  }
  return tests
}

/** Of each list a chunk must hold one, or it need not be opened. */
function keysWanted({ events, actor, address, target, source, session }: EventFilter): string[][] {
  const names = events?.length && !events.some((name) => name.endsWith('*')) ? events : null
  const sought = address === undefined ? null : parseSought(address)
  const network = sought && networkKey(sought)
  const alone = sought !== null && sought.bits === sought.bytes.length * 8
  const ones = [
    actor === undefined ? null : keys.actor(actor),
    target === undefined ? null : keys.target(target),
    source === undefined ? null : keys.source(source),
    session === undefined ? null : keys.session(session),
    network,
  ]
  const paired = [ones[0], alone ? network : null].filter((key) => typeof key === 'string')
  return [
    ...ones.flatMap((key) => (key ? [[key]] : [])),
    ...(names ? [names.map(keys.event)] : []),
    ...(names ? paired.map((key) => names.map((name) => keys.both(key, name))) : []),
  ]
}

/** What is made of a chunk that will not grow, for the next one who asks. */
interface Made {
  lowered: Map<TextField, (string | undefined)[]>
  addresses?: (Uint8Array | null)[]
  /** Words that were looked for last: a list, its next page and the histogram ask for the same. */
  words: Map<string, Hits[]>
}
const MOST_WORDS = 8
const made = new WeakMap<Columns, Made>()

function madeOf(columns: Columns): Made {
  const known = made.get(columns) ?? { lowered: new Map(), words: new Map() }
  if (columns.full) made.set(columns, known)
  return known
}

function loweredOf(columns: Columns, field: TextField): (string | undefined)[] {
  const { lowered } = madeOf(columns)
  const values = lowered.get(field) ?? columns.texts[field].values.map((value) => value?.toLowerCase())
  lowered.set(field, values)
  return values
}

function addressesOf(columns: Columns): (Uint8Array | null)[] {
  const known = madeOf(columns)
  known.addresses ??= columns.texts.address.values.map((address) => {
    const bytes = address === null ? null : bytesOf(address)
    return bytes && Uint8Array.from(bytes)
  })
  return known.addresses
}

function hitsOf(columns: Columns, word: string): Hits[] {
  const { words } = madeOf(columns)
  const found = words.get(word) ?? look(columns, word)
  words.delete(word)
  words.set(word, found)
  if (words.size > MOST_WORDS) words.delete(words.keys().next().value as string)
  return found
}

function look(columns: Columns, word: string): Hits[] {
  return searched.flatMap((field) => {
    const bits = Uint8Array.from(loweredOf(columns, field), (value) => (value?.includes(word) ? 1 : 0))
    return bits.includes(1) ? [{ codes: columns.texts[field].codes, bits }] : []
  })
}
