/**
 * How values stand in the cache: one byte that names the format, then the content. A reader that doesn't know
 * a format takes the entry for a miss, so that releases can follow each other on one Redis.
 */
const JSON_PLAIN = 1

export class UnencodableError extends Error {
  override name = 'UnencodableError'
}

/** Encodes a value as JSON. Throws {@link UnencodableError} for what JSON can't carry. */
export function encode(value: unknown): Buffer {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw new UnencodableError(`The value can't be written as JSON: ${(error as Error).message}`)
  }
  if (text === undefined) throw new UnencodableError(`The cache can't keep ${typeof value}.`)
  const buffer = Buffer.allocUnsafe(1 + Buffer.byteLength(text))
  buffer[0] = JSON_PLAIN
  buffer.write(text, 1)
  return buffer
}

/** Decodes an entry; undefined when its format is unknown or its content is broken. */
export function decode(entry: Buffer): { value: unknown } | undefined {
  if (entry[0] !== JSON_PLAIN) return undefined
  try {
    return { value: JSON.parse(entry.toString('utf8', 1)) }
  } catch {
    return undefined
  }
}
