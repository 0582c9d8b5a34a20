import { HoldfastError } from '@/server/errors'
import { type Compressed, compress, compressText, decompress, SMALLEST, snappyText } from './compress'
import {
  COMPRESSIONS,
  type Compression,
  type EntryHead,
  type EntryTimes,
  type Form,
  readHead,
  startEntry,
  type TagVersions,
} from './head'
import { type Cut, cut, join, PIECE } from './pieces'
import { fromTagged, toTagged } from './tagged'
import { walk } from './walk'

export type { EntryHead, EntryTimes, TagVersions } from './head'
export { readHead } from './head'
export { decodeTogether, decodeUsual, UNUSUAL } from './usual'

/** What an entry says beside its value. */
export type EntryFacts = EntryTimes & { tags: TagVersions }

/** A value as bytes: how values stand in Redis. */
export interface Encoded {
  entry: Buffer
  rawBytes: number
  compressed: boolean
  /** The JSON of a value that JSON carries, for who keeps it beside the entry; undefined for any other. */
  json: string | undefined
}

/**
 * Encodes a value: what JSON carries, and undefined, BigInt, Date, Map, Set, Buffer, Uint8Array, NaN and Infinity.
 * A large value is encoded in slices and must not change meanwhile; it answers a promise. Throws, or rejects with,
 * BAD_INPUT for functions, symbols, instances of classes, and what holds itself.
 */
export function encode(value: unknown, facts: EntryFacts): Encoded | Promise<Encoded> {
  if (Buffer.isBuffer(value)) return finish(facts, 'bytes', compress(value), value.length)
  if (typeof value === 'string' && value.length > PIECE) {
    const raw = Buffer.from(value)
    return finish(facts, 'text', compress(raw), raw.length)
  }
  const { bytes, plain } = walk(value, PIECE)
  if (bytes > PIECE) return encodeLarge(value, facts)
  const json = JSON.stringify(plain ? value : toTagged(value))
  const form = plain ? 'json' : 'tagged'
  const size = Buffer.byteLength(json)
  if (size >= SMALLEST) return finish(facts, form, compressText(json, size), size, plain ? json : undefined)
  // Most values are small: one buffer, written once.
  const { entry, payload } = startEntry(headOf(facts, form, 'none', size), size)
  entry.write(json, payload, size === json.length ? 'latin1' : 'utf8')
  return { entry, rawBytes: size, compressed: false, json: plain ? json : undefined }
}

function headOf(
  { writtenAt, freshUntil, staleUntil, tags }: EntryFacts,
  form: Form,
  compression: Compression,
  rawBytes: number,
) {
  return { writtenAt, freshUntil, staleUntil, tags, form, compression, rawBytes }
}

function finish(
  facts: EntryFacts,
  form: Form,
  result: Compressed | Promise<Compressed>,
  rawBytes: number,
  json?: string,
): Encoded | Promise<Encoded> {
  const build = ({ payload, compression }: Compressed): Encoded => {
    const { entry, payload: at } = startEntry(headOf(facts, form, compression, rawBytes), payload.length)
    entry.set(payload, at)
    return { entry, rawBytes, compressed: compression !== 'none', json }
  }
  return result instanceof Promise ? result.then(build) : build(result)
}

const PIECE_COMPRESSION = 3
const PIECE_PLAIN = 4

async function encodeLarge(value: unknown, facts: EntryFacts): Promise<Encoded> {
  const { plan, pieces }: Cut = await cut(value)
  const parts = [framed(Buffer.from(JSON.stringify(plan)), 0)]
  let rawBytes = 0
  let anyCompressed = false
  for (const { text, plain } of pieces) {
    const raw = Buffer.from(text)
    const { payload, compression } = await compress(raw)
    rawBytes += raw.length
    anyCompressed ||= compression !== 'none'
    parts.push(framed(payload, COMPRESSIONS.indexOf(compression) | (plain ? PIECE_PLAIN : 0)))
  }
  const { entry: head } = startEntry(headOf(facts, 'pieces', 'none', rawBytes), 0)
  const entry = Buffer.concat([head, ...parts.flat()])
  return { entry, rawBytes, compressed: anyCompressed, json: undefined }
}

function framed(content: Buffer, flags: number): Buffer[] {
  const frame = Buffer.allocUnsafe(5)
  frame[0] = flags
  frame.writeUInt32BE(content.length, 1)
  return [frame, content]
}

export interface Decoded {
  value: unknown
  /** Its JSON, as {@link Encoded}. */
  json?: string | undefined
}

/** The value behind an entry; undefined when its content is broken. A large one answers a promise. */
export function decode(entry: Buffer, head: EntryHead): Decoded | undefined | Promise<Decoded | undefined> {
  try {
    if (head.form === 'pieces') return decodeLarge(entry, head).catch(() => undefined)
    if (head.compression === 'none') return decodePlain(entry, head)
    const payload = entry.subarray(head.payload)
    if (head.compression === 'snappy' && head.form !== 'bytes') return readText(snappyText(payload), head)
    const raw = decompress(payload, head.compression, head.rawBytes)
    if (raw instanceof Promise) return raw.then((bytes) => read(bytes, head)).catch(() => undefined)
    return read(raw, head)
  } catch {
    return undefined
  }
}

function decodePlain(entry: Buffer, head: EntryHead): Decoded | undefined {
  // Checked where the entry says it: a cut-off one is broken.
  if (entry.length - head.payload !== head.rawBytes) return undefined
  if (head.form === 'bytes') return { value: Buffer.from(entry.subarray(head.payload)) }
  return readText(entry.toString('utf8', head.payload), head)
}

function read(raw: Buffer, head: EntryHead): Decoded | undefined {
  if (raw.length !== head.rawBytes) return undefined
  return head.form === 'bytes' ? { value: Buffer.from(raw) } : readText(raw.toString('utf8'), head)
}

function readText(text: string, { form }: EntryHead): Decoded {
  if (form === 'text') return { value: text }
  const data: unknown = JSON.parse(text)
  return form === 'tagged' ? { value: fromTagged(data) } : { value: data, json: text }
}

async function decodeLarge(entry: Buffer, head: EntryHead): Promise<Decoded> {
  const frames: { flags: number; content: Buffer }[] = []
  for (let at = head.payload; at < entry.length; ) {
    const length = entry.readUInt32BE(at + 1)
    if (at + 5 + length > entry.length) throw new Error('The entry is cut off.')
    frames.push({ flags: entry[at] as number, content: entry.subarray(at + 5, at + 5 + length) })
    at += 5 + length
  }
  const plan = JSON.parse((frames[0] as (typeof frames)[0]).content.toString('utf8'))
  const value = await join(plan, async (at) => {
    const { flags, content } = frames[at + 1] as (typeof frames)[0]
    const raw = await decompress(content, COMPRESSIONS[flags & PIECE_COMPRESSION] ?? 'none', PIECE)
    return { text: raw.toString('utf8'), plain: (flags & PIECE_PLAIN) !== 0 }
  })
  return { value }
}

/** What an entry of ours says of itself. */
export interface DescribedEntry {
  value: unknown
  codec: string
  /** Bytes of the value before and after compression. */
  rawBytes: number
  storedBytes: number
  tags: string[]
  /** UTC milliseconds; null where the entry doesn't say. */
  writtenAt: number | null
  freshUntil: number
  /** Until when it may be served stale; null for one that never is. */
  staleUntil: number | null
}

/** What an entry is, for who looks into Redis; undefined for anything else, and for a broken one. */
export async function readEntry(entry: Buffer): Promise<DescribedEntry | undefined> {
  const head = readHead(entry)
  const decoded = head && (await decode(entry, head))
  if (!decoded) return undefined
  const { writtenAt, freshUntil, staleUntil, rawBytes, form, compression } = head
  return {
    ...{ value: decoded.value, rawBytes, storedBytes: entry.length, freshUntil },
    // 0.3 wrote no time.
    writtenAt: writtenAt || null,
    staleUntil: staleUntil > freshUntil ? staleUntil : null,
    codec: compression === 'none' ? form : `${form}, ${compression}`,
    tags: head.tags.map(([tag]) => tag),
  }
}

/** Throws BAD_INPUT for an entry that is larger than the cache takes. */
export function checkSize(key: string, bytes: number, most: number): void {
  if (bytes <= most) return
  throw new HoldfastError('BAD_INPUT', {
    message: `The value of ${key} has ${bytes} bytes; the cache keeps ${most} at most.`,
    remedy: 'Keep it in parts, or raise maxValueBytes.',
  })
}
