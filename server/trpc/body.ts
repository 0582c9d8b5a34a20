import { HoldfastError } from '@/server/errors'
import type { ApiRequest } from './request'

/** Largest JSON body; files go to the upload route. */
const MOST_BYTES = 1_048_576

/**
 * The text of a request's JSON body, '' when there is none. Forms of other sites can send any other type without
 * asking, so those are refused before they are read. Throws UNSUPPORTED_TYPE, TOO_LARGE, BAD_INPUT for bad UTF-8 and
 * where the client breaks off.
 */
export async function readJsonText({ headers, body }: Pick<ApiRequest, 'headers' | 'body'>): Promise<string> {
  const type = headers.get('content-type')
  if (type !== null && !/^application\/json\s*(;|$)/i.test(type)) throw unsupported()
  if (Number(headers.get('content-length')) > MOST_BYTES) throw tooLarge()
  const chunks: Uint8Array[] = []
  let bytes = 0
  // A chunked body names no length, so it is counted while it is read.
  for await (const chunk of unbroken(body ?? [])) {
    bytes += chunk.byteLength
    if (bytes > MOST_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  if (bytes > 0 && type === null) throw unsupported()
  return decode(chunks)
}

/** A client that goes away half-way is no failure of the console. */
async function* unbroken(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  try {
    yield* body
  } catch {
    throw new HoldfastError('BAD_INPUT', 'The request ended before its body.')
  }
}

function decode(chunks: Uint8Array[]): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new HoldfastError('BAD_INPUT', 'The body is no UTF-8.')
  }
}

function unsupported() {
  return new HoldfastError('UNSUPPORTED_TYPE', {
    message: 'The body is no JSON.',
    remedy: 'Send JSON, and the header Content-Type: application/json.',
  })
}

function tooLarge() {
  return new HoldfastError('TOO_LARGE', {
    message: 'The request is too large.',
    remedy: 'Send at most 1 MiB of JSON; SQLite files go to /api/upload.',
  })
}
