import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { isTrackedEnvelope } from '@trpc/server'

/** How often something comes, and after which silence clients give a stream up, ms. */
export const pingMs = 2_000
export const giveUpMs = 5_000

const open = new Map<Writable, { lastAt: number }>()
let pinging: NodeJS.Timeout | undefined

/**
 * Writes what a subscription yields as an event stream that tRPC's client reads
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). tRPC's own producer puts three Web streams and two
 * timers behind each client; here one timer serves all, and an event that many get is put into bytes once.
 */
export async function writeEvents(
  out: Writable,
  events: Promise<AsyncIterable<unknown>>,
  describe: (error: unknown) => unknown,
): Promise<void> {
  const at = { lastAt: Date.now() }
  open.set(out, at)
  pinging ??= setInterval(ping, pingMs / 2).unref()
  try {
    await write(out, connected)
    for await (const event of await events) {
      if (out.destroyed) return
      at.lastAt = Date.now()
      await write(out, bytesOf(event))
    }
    out.write(frame('return', ''))
  } catch (error) {
    if (!out.destroyed) out.write(frame('serialized-error', JSON.stringify(describe(error))))
  } finally {
    open.delete(out)
    if (open.size === 0) {
      clearInterval(pinging)
      pinging = undefined
    }
    out.end()
  }
}

/** Waits while the client takes nothing more: its events stay in the hub meanwhile. */
function write(out: Writable, bytes: Uint8Array): Promise<unknown> | undefined {
  if (out.write(bytes) || out.destroyed) return undefined
  const done = new AbortController()
  const { signal } = done
  return Promise.race([once(out, 'drain', { signal }), once(out, 'close', { signal })]).finally(() =>
    done.abort(),
  )
}

function ping(): void {
  const silentSince = Date.now() - pingMs
  for (const [out, { lastAt }] of open) if (lastAt <= silentSince && !out.writableNeedDrain) out.write(pinged)
}

const frame = (event: string, data: string) => Buffer.from(`event: ${event}\ndata: ${data}\n\n`)
const connected = frame('connected', JSON.stringify({ reconnectAfterInactivityMs: giveUpMs }))
const pinged = frame('ping', '')

const made = new WeakMap<object, { id: string; bytes: Buffer }>()

function bytesOf(event: unknown): Buffer {
  if (!isTrackedEnvelope(event)) return Buffer.from(`data: ${JSON.stringify(event)}\n\n`)
  const [id, data] = event as unknown as [id: string, data: object]
  const known = made.get(data)
  if (known?.id === id) return known.bytes
  const bytes = Buffer.from(`data: ${JSON.stringify(data)}\nid: ${id}\n\n`)
  made.set(data, { id, bytes })
  return bytes
}
