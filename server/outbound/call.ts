import { HoldfastError } from '@/server/errors'
import type { OutboundPool } from './types'

export interface CallOptions {
  /** GET without. */
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer | Uint8Array
  /** Ends the call, which then throws the signal's reason. */
  signal?: AbortSignal
  /** Whether the call may be sent twice, for instance with an Idempotency-Key; by its method without. */
  idempotent?: boolean
  /** Milliseconds for the whole call with its retries; the pool's deadline without. */
  timeout?: number
}

export interface Answer {
  status: number
  /** By lower-case name; a repeated header is joined by a comma, Set-Cookie by a line feed. */
  headers: Record<string, string>
  /** As it was sent: a Content-Encoding is not undone. */
  body: Buffer
  /** The body, read as JSON. Throws TARGET_UNREACHABLE for a body that is not. */
  json<T>(): T
  /** `hit`: from the cache, or from the fetch of an equal call. `revalidated`: the origin said that the copy still holds. */
  fromCache: 'hit' | 'revalidated' | null
  /** Requests that were sent for this call. */
  attempts: number
}

/** A call whose parts were checked. */
export interface Call {
  /** Without a fragment. */
  url: URL
  method: string
  /** By lower-case name. */
  headers: Record<string, string>
  body: string | Uint8Array | undefined
  signal: AbortSignal | undefined
  idempotent: boolean
  timeout: number
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
const IDEMPOTENT = new Set([...SAFE, 'PUT', 'DELETE'])
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** They belong to the connection, which is the pool's, or to the URL. */
const OURS = new Set([
  ...['host', 'connection', 'keep-alive', 'transfer-encoding', 'content-length'],
  ...['upgrade', 'expect', 'te', 'trailer', 'proxy-connection'],
])

/** Whether the method changes nothing on the server (RFC 9110, 9.2.1). */
export const isSafe = (method: string) => SAFE.has(method)

/** Checks a call. Throws BAD_INPUT; messages never repeat the URL, which may hold a secret. */
export function parseCall(url: string | URL, options: CallOptions, pool: OutboundPool): Call {
  const method = (options.method ?? 'GET').toUpperCase()
  if (!TOKEN.test(method) || method === 'CONNECT' || method === 'TRACE')
    throw bad('This method can not be sent.', 'Use GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE.')
  const timeout = options.timeout ?? pool.deadline
  if (!(timeout > 0 && timeout < 2 ** 31)) throw bad('The timeout of a call is a positive number.')
  return {
    url: parseUrl(url),
    method,
    headers: parseHeaders(options.headers ?? {}),
    body: options.body,
    signal: options.signal,
    idempotent: options.idempotent ?? IDEMPOTENT.has(method),
    timeout,
  }
}

function parseUrl(given: string | URL): URL {
  if (!URL.canParse(String(given)))
    throw bad('The address is not a URL.', 'Write it like https://example.com/path.')
  const url = new URL(String(given))
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw bad('The address is neither http nor https.', 'Use an address that begins with https://.')
  if (url.username || url.password)
    throw bad('The address holds a user name or password.', 'Send them in an Authorization header instead.')
  url.hash = ''
  return url
}

function parseHeaders(given: Record<string, string>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [written, value] of Object.entries(given)) {
    const name = written.toLowerCase()
    if (!TOKEN.test(name)) throw bad('A header has a name that can not be sent.')
    if (OURS.has(name)) throw bad(`The header ${name} is set by the connection.`, 'Leave it out.')
    if (name in headers) throw bad(`The header ${name} is given twice.`)
    if (typeof value !== 'string' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw bad(`The header ${name} has a value that can not be sent.`)
    headers[name] = value
  }
  return headers
}

function bad(message: string, remedy?: string): HoldfastError {
  return new HoldfastError('BAD_INPUT', remedy ? { message, remedy } : message)
}
