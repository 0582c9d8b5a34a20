import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Dispatcher, Pool } from 'undici'
import type { Call } from './call'
import { failureOf, tooLarge } from './failure'
import type { OutboundPool } from './types'

/** An answer as it came over the network. */
export interface Received {
  status: number
  headers: Record<string, string>
  body: Buffer
}

/** Sends one request and reads the whole answer. Throws OutboundFailure, or the reason of the signal. */
export async function exchange(
  pool: Pool,
  limits: OutboundPool,
  call: Call,
  signal: AbortSignal,
): Promise<Received> {
  let begun = false
  try {
    const answer = await pool.request({
      path: `${call.url.pathname}${call.url.search}`,
      method: call.method as Dispatcher.HttpMethod,
      headers: call.headers,
      body: call.body ?? null,
      headersTimeout: limits.headersTimeout,
      bodyTimeout: limits.bodyTimeout,
      signal,
    })
    begun = true
    // A stream that is left early tells of it by an error that is nobody's any more.
    answer.body.on('error', () => {})
    const headers = joined(answer.headers)
    const body = await read(answer.body, call, headers, limits.maxResponseBytes)
    // undici has the connection free a turn later; a call right after this one would open another.
    await nextTurn()
    return { status: answer.statusCode, headers, body }
  } catch (error) {
    if (error instanceof TooLarge) throw tooLarge(call.url.host, limits.maxResponseBytes)
    if (signal.aborted) throw signal.reason
    throw failureOf(error, call.url.host, begun)
  }
}

class TooLarge extends Error {}

async function read(
  stream: Dispatcher.ResponseData['body'],
  call: Call,
  headers: Record<string, string>,
  most: number,
): Promise<Buffer> {
  if (call.method !== 'HEAD' && Number(headers['content-length']) > most) {
    stream.destroy()
    throw new TooLarge()
  }
  const chunks: Buffer[] = []
  let size = 0
  // Leaving the loop ends the stream, and its connection with it.
  for await (const chunk of stream) {
    size += (chunk as Buffer).length
    if (size > most) throw new TooLarge()
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks, size)
}

function joined(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const all: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    all[name] = Array.isArray(value) ? value.join(name === 'set-cookie' ? '\n' : ', ') : value
  }
  return all
}
