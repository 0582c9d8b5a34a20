import { Decoder, Encoder } from '@toondepauw/node-zstd'
import { compressSync, uncompressSync } from 'snappy'
import type { Compression } from './head'

/** Below this neither wins anything over its own frame. */
export const SMALLEST = 512
/** From here zstd: it makes a third of large values, where snappy makes half. */
const MIDDLE = 16 * 1024
/** From here the thread pool compresses: on the event loop it would take over 0.2 ms. */
const LARGE = 128 * 1024
/** What snappy makes no smaller than this is tried with zstd, which leaves 0.4 of most records. */
const GOOD = 0.6
/** What snappy can't touch is random, or compressed already: zstd isn't tried on it. */
const HOPELESS = 0.98
/** What is not at least this much smaller stays as it is: reading it costs less then. */
const WORTH = 0.95

// 2 KB of records, quiet machine: snappy 4 + 4 µs and ratio 2.0, zstd-1 16 + 13 and 2.6. 50 KB: zstd-1 83 + 49, 3.1.
// Copied out: a buffer of foreign memory for each costs the collector more than the copy.
const copy = { copyOutputData: true }
const asText = { asBuffer: false }
const encoder = new Encoder(1)
const decoder = new Decoder()

export interface Compressed {
  payload: Buffer
  compression: Compression
}

/** Compresses where it pays; never larger than raw. Large content answers a promise. */
export function compress(raw: Buffer): Compressed | Promise<Compressed> {
  if (raw.length < SMALLEST) return { payload: raw, compression: 'none' }
  if (raw.length < MIDDLE) return quickly(raw)
  if (raw.length < LARGE) return smaller(raw, encoder.encodeSync(raw), 'zstd')
  return new Encoder(1).encode(raw).then((payload) => smaller(raw, payload, 'zstd'))
}

/** What texts are written into to be compressed: a buffer of its own for each costs as much as compressing it. */
const scratch = Buffer.allocUnsafeSlow(MIDDLE)

/** As {@link compress}, for a text of so many bytes. */
export function compressText(text: string, bytes: number): Compressed | Promise<Compressed> {
  if (bytes >= MIDDLE) return compress(Buffer.from(text))
  const raw = scratch.subarray(0, scratch.write(text, 0, bytes === text.length ? 'latin1' : 'utf8'))
  const compressed = quickly(raw)
  return compressed.payload === raw ? { payload: Buffer.from(raw), compression: 'none' } : compressed
}

function quickly(raw: Buffer): Compressed {
  const payload = compressSync(raw, copy)
  if (payload.length <= raw.length * GOOD) return { payload, compression: 'snappy' }
  if (payload.length > raw.length * HOPELESS) return { payload: raw, compression: 'none' }
  return smaller(raw, encoder.encodeSync(raw), 'zstd')
}

function smaller(raw: Buffer, payload: Buffer, compression: Compression): Compressed {
  return payload.length < raw.length * WORTH
    ? { payload, compression }
    : { payload: raw, compression: 'none' }
}

/** Throws for broken content. `rawBytes` tells whether it is large. */
export function decompress(
  payload: Buffer,
  compression: Compression,
  rawBytes: number,
): Buffer | Promise<Buffer> {
  if (compression === 'none') return payload
  if (compression === 'snappy') return uncompressSync(payload, { asBuffer: true, ...copy }) as Buffer
  return rawBytes < LARGE ? decoder.decodeSync(payload) : new Decoder().decode(payload)
}

/** The text that snappy compressed, without a buffer in between: a quarter of the time. Throws for broken content. */
export function snappyText(payload: Buffer): string {
  return uncompressSync(payload, asText) as string
}
