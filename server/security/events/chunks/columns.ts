import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import type { AuditOutcome } from '@/db/tables'
import { severities } from '@/server/audit/severity'
import { type Filtered, weightOf } from '../filter'

/** Numbers that one chunk holds: chunk n has the events from n × 8,192 + 1 on. */
export const CHUNK = 8_192

export const chunkOf = (seq: number) => Math.floor((seq - 1) / CHUNK)
/** The number before the first of a chunk. */
export const startOf = (id: number) => id * CHUNK

/** Texts of an event, each kept once a chunk. */
export const textFields = [
  'event',
  'actor',
  'target',
  'reason',
  'address',
  'userAgent',
  'source',
  'sessionId',
] as const
export type TextField = (typeof textFields)[number]

export const outcomes: readonly AuditOutcome[] = ['success', 'failure', 'denied']

/** One field: every text once, and for each event which of them it has. */
export interface Texts {
  values: (string | null)[]
  codes: Uint16Array
}

/** What filters look at, of the events of one chunk, in their order. */
export interface Columns {
  id: number
  /** How many events there are; the arrays may be longer. */
  events: number
  minTime: number
  maxTime: number
  /** Numbers, less the one before the chunk's first. */
  places: Uint16Array
  times: Float64Array
  outcomes: Uint8Array
  severities: Uint8Array
  texts: Record<TextField, Texts>
  /** No event will be added. */
  full: boolean
}

export type ChunkRow = Filtered & { seq: number }

/** Columns that grow event by event. */
export class Growing {
  readonly columns: Columns
  readonly #codes = Object.fromEntries(
    textFields.map((field) => [field, new Map<string | null, number>()]),
  ) as Record<TextField, Map<string | null, number>>

  constructor(id: number) {
    const texts = textFields.map((field) => [field, { values: [], codes: new Uint16Array(CHUNK) }])
    this.columns = {
      ...{ id, events: 0, minTime: Number.MAX_SAFE_INTEGER, maxTime: 0, full: false },
      places: new Uint16Array(CHUNK),
      times: new Float64Array(CHUNK),
      outcomes: new Uint8Array(CHUNK),
      severities: new Uint8Array(CHUNK),
      texts: Object.fromEntries(texts) as Record<TextField, Texts>,
    }
  }

  add(row: ChunkRow): void {
    const { columns } = this
    const at = columns.events
    columns.places[at] = row.seq - startOf(columns.id)
    columns.times[at] = row.time
    columns.outcomes[at] = outcomes.indexOf(row.outcome as AuditOutcome)
    columns.severities[at] = severities.indexOf(weightOf(row))
    columns.minTime = Math.min(columns.minTime, row.time)
    columns.maxTime = Math.max(columns.maxTime, row.time)
    for (const field of textFields) {
      const { values, codes } = columns.texts[field]
      const known = this.#codes[field]
      let code = known.get(row[field])
      if (code === undefined) {
        code = values.length
        known.set(row[field], code)
        values.push(row[field])
      }
      codes[at] = code
    }
    columns.events = at + 1
  }

  finish(): Columns {
    this.columns.full = true
    return this.columns
  }
}

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

/** One text for the store: the length of a JSON head, the head with all texts, then the arrays; deflated, base64. */
export async function encode(columns: Columns): Promise<string> {
  const { events, minTime, maxTime, texts } = columns
  const values = textFields.map((field) => texts[field].values)
  const head = Buffer.from(JSON.stringify({ events, minTime, maxTime, values }))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(head.length)
  const arrays = [
    columns.times,
    columns.places,
    ...textFields.map((field) => texts[field].codes),
    columns.outcomes,
    columns.severities,
  ].map((array) => {
    const part = array.subarray(0, events)
    return Buffer.from(part.buffer, part.byteOffset, part.byteLength)
  })
  return (await deflate(Buffer.concat([length, head, ...arrays]), { level: 3 })).toString('base64')
}

export async function decode(id: number, text: string): Promise<Columns> {
  const bytes = await inflate(Buffer.from(text, 'base64'))
  const length = bytes.readUInt32LE(0)
  const head = JSON.parse(bytes.subarray(4, 4 + length).toString()) as {
    events: number
    minTime: number
    maxTime: number
    values: (string | null)[][]
  }
  const { events, minTime, maxTime, values } = head
  let at = bytes.byteOffset + 4 + length
  // A copy: an array of wide numbers begins at a multiple of their width.
  const next = (width: number) => {
    const begin = at
    at += events * width
    return bytes.buffer.slice(begin, at)
  }
  const times = new Float64Array(next(8))
  const places = new Uint16Array(next(2))
  const texts = Object.fromEntries(
    textFields.map((field, index) => [
      field,
      { values: values[index] ?? [], codes: new Uint16Array(next(2)) },
    ]),
  ) as Record<TextField, Texts>
  const outcomes = new Uint8Array(next(1))
  const severities = new Uint8Array(next(1))
  return { id, events, minTime, maxTime, times, places, texts, outcomes, severities, full: true }
}
