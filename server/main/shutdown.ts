import type { Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

/** What is asked of the runtime; see server/runtime.ts. */
export type Drainable = {
  /** Readiness fails and event streams end from now on. */
  drain(): void | Promise<void>
  /** Flushes and closes everything that lives. */
  close(): Promise<void>
}

/** Requests in flight have this long, then the runtime until `WHOLE_MS`: five seconds are what service managers grant. */
const REQUESTS_MS = 3_500
const WHOLE_MS = 4_800

/**
 * Stops the console: no new connections, event streams end, requests in flight finish, the runtime closes.
 * Resolves to the exit code: 0, or 1 when the runtime could not be closed in time.
 */
export async function shutDown(parts: {
  server: { http: Server; drain(): void }
  runtime: Drainable
}): Promise<number> {
  const { server, runtime } = parts
  const { http } = server
  const started = Date.now()
  server.drain()
  const closed = new Promise<void>((resolve) => {
    http.close(() => resolve())
  })
  // A browser whose event stream ended comes back on the same connection: close it as soon as it idles.
  const sweep = setInterval(() => http.closeIdleConnections(), 50)
  const drained = Promise.resolve(runtime.drain()).then(() => closed)
  await Promise.race([drained.catch(report), delay(REQUESTS_MS)])
  clearInterval(sweep)
  http.closeAllConnections()
  const left = delay(WHOLE_MS - (Date.now() - started), 'late' as const, { ref: false })
  const result = await Promise.race([runtime.close().then(() => 'closed' as const, report), left])
  if (result === 'late')
    process.stderr.write('Holdfast could not close its connections in time and leaves them.\n')
  return result === 'closed' ? 0 : 1
}

function report(error: unknown): void {
  process.stderr.write(
    `Holdfast did not stop cleanly: ${error instanceof Error ? error.message : String(error)}\n`,
  )
}
