/** The version of a tag when the entry was written; another one now makes the entry a miss. */
export type TagVersions = readonly (readonly [tag: string, version: string])[]

/** Times in UTC milliseconds. */
export interface EntryTimes {
  writtenAt: number
  freshUntil: number
  /** Until when a stale value may be served; `freshUntil` at least. */
  staleUntil: number
}

export const FORMS = ['json', 'tagged', 'bytes', 'text', 'pieces'] as const
export type Form = (typeof FORMS)[number]

export const COMPRESSIONS = ['none', 'snappy', 'zstd'] as const
export type Compression = (typeof COMPRESSIONS)[number]

export interface EntryHead extends EntryTimes {
  form: Form
  /** Of the payload as a whole; pieces tell theirs each. */
  compression: Compression
  /** Bytes of the payload before compression. */
  rawBytes: number
  tags: TagVersions
  /** Where the payload begins. */
  payload: number
}

/** The first byte of an entry: its format. 1 was JSON behind this byte alone (0.3). */
const FORMER = 1
const CURRENT = 2
const FIXED = 24
const COMPRESSION_BITS = 4
const HAS_TAGS = 0x40

/** An entry with room for its payload. Layout of its head: format, flags (form, compression, has tags), three times of 6 bytes, raw size of 4, then tags. */
export function startEntry(
  head: Omit<EntryHead, 'payload'>,
  room: number,
): { entry: Buffer; payload: number } {
  const tags = head.tags.length > 0 ? Buffer.from(JSON.stringify(head.tags)) : undefined
  const payload = FIXED + (tags ? 2 + tags.length : 0)
  const entry = Buffer.allocUnsafe(payload + room)
  entry[0] = CURRENT
  const compression = COMPRESSIONS.indexOf(head.compression) << COMPRESSION_BITS
  entry[1] = FORMS.indexOf(head.form) | compression | (tags ? HAS_TAGS : 0)
  writeTime(entry, head.writtenAt, 2)
  writeTime(entry, head.freshUntil, 8)
  writeTime(entry, head.staleUntil, 14)
  entry.writeUInt32BE(head.rawBytes, 20)
  if (tags) {
    entry.writeUInt16BE(tags.length, FIXED)
    tags.copy(entry, FIXED + 2)
  }
  return { entry, payload }
}

/** 48 bits, by hand: Node's own takes several times as long. */
function writeTime(entry: Buffer, time: number, at: number): void {
  const high = Math.floor(time / 2 ** 32)
  const low = time >>> 0
  entry[at] = high >>> 8
  entry[at + 1] = high
  entry[at + 2] = low >>> 24
  entry[at + 3] = low >>> 16
  entry[at + 4] = low >>> 8
  entry[at + 5] = low
}

/** The head of an entry; undefined when its format is unknown or it is cut off. */
export function readHead(entry: Buffer): EntryHead | undefined {
  if (entry[0] === FORMER && entry.length > 1) {
    // It lived as long as Redis kept it.
    const always = Number.MAX_SAFE_INTEGER
    const times = { writtenAt: 0, freshUntil: always, staleUntil: always }
    return { ...times, form: 'json', compression: 'none', rawBytes: entry.length - 1, tags: [], payload: 1 }
  }
  if (entry[0] !== CURRENT || entry.length < FIXED) return undefined
  const flags = entry[1] as number
  const form = FORMS[flags & 0x0f]
  const compression = COMPRESSIONS[(flags >> COMPRESSION_BITS) & 3]
  if (!form || !compression) return undefined
  let tags: TagVersions = []
  let payload = FIXED
  if (flags & HAS_TAGS) {
    if (entry.length < FIXED + 2) return undefined
    payload = FIXED + 2 + entry.readUInt16BE(FIXED)
    if (entry.length < payload) return undefined
    try {
      tags = JSON.parse(entry.toString('utf8', FIXED + 2, payload))
    } catch {
      return undefined
    }
  }
  return {
    form,
    compression,
    writtenAt: entry.readUIntBE(2, 6),
    freshUntil: entry.readUIntBE(8, 6),
    staleUntil: entry.readUIntBE(14, 6),
    rawBytes: entry.readUInt32BE(20),
    tags,
    payload,
  }
}

/** Where the JSON of the most usual entry begins, or snappy's of it: without tags, never stale. Undefined for others. */
export function usualPayload(entry: Buffer): { at: number; compression: Compression } | undefined {
  if (entry.length < FIXED || entry[0] !== CURRENT) return undefined
  const flags = entry[1] as number
  const usual = flags === 0 ? PLAIN_JSON : flags === 1 << COMPRESSION_BITS ? SNAPPY_JSON : undefined
  for (let at = 8; usual && at < 14; at++) if (entry[at] !== entry[at + 6]) return undefined
  // A cut-off one is broken; snappy finds that out by itself.
  if (usual === PLAIN_JSON && entry.length - FIXED !== entry.readUInt32BE(20)) return undefined
  return usual
}

const PLAIN_JSON = { at: FIXED, compression: 'none' } as const
const SNAPPY_JSON = { at: FIXED, compression: 'snappy' } as const
