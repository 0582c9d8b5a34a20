import { connect as connectSocket, type Socket } from 'node:net'
import { closing, failureOf } from './failure'
import type { Guard } from './guard'

export interface ConnectOptions {
  /** Milliseconds. */
  timeout: number
  signal?: AbortSignal | undefined
}

/**
 * Connects to a server that speaks another protocol than HTTP. Throws OutboundFailure when nobody takes the
 * connection in time or the guard refuses it, or the reason of the signal.
 */
export async function connectTo(
  { guard }: { guard: Guard | undefined },
  host: string,
  port: number,
  { timeout, signal }: ConnectOptions,
): Promise<Socket> {
  signal?.throwIfAborted()
  guard?.check(host)
  const socket = connectSocket({ host, port, ...(guard ? { lookup: guard.lookup } : {}) })
  const named = `${host}:${port}`
  return new Promise((resolve, reject) => {
    const end = (error: unknown) => {
      over()
      socket.destroy()
      reject(error)
    }
    const failed = (error: Error) => end(signal?.aborted ? signal.reason : failureOf(error, named, false))
    const aborted = () => end(signal?.reason ?? closing())
    const timer = setTimeout(() => {
      failed(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
    }, timeout)
    const over = () => {
      clearTimeout(timer)
      socket.off('error', failed)
      signal?.removeEventListener('abort', aborted)
      // What comes later is of no interest to who gave up.
      socket.on('error', () => {})
    }
    signal?.addEventListener('abort', aborted)
    socket.once('error', failed)
    socket.once('connect', () => {
      over()
      resolve(socket)
    })
  })
}
