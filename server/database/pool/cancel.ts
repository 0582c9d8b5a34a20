import { Connection } from 'pg'
import { tlsOptions } from '../tls'
import type { PostgresConfig } from './config'

/** What names a backend to its server: BackendKeyData of the connection's start. */
export interface BackendKey {
  pid: number
  secret: number
}

interface Wire extends Connection {
  connect(port: number, host: string): void
  requestSsl(): void
  cancel(pid: number, secret: number): void
}

/** Milliseconds after which a server that doesn't take the request is left alone. */
const PATIENCE = 2_000
/** Milliseconds that a cancelled statement has to end before its connection is cut. */
const GRACE = 2_000

/** Cancels what a backend runs, and calls `cut` when it is `running` still after a while. */
export async function cancelOrCut(
  place: PostgresConfig,
  key: BackendKey,
  running: () => boolean,
  cut: () => void,
): Promise<void> {
  await sendCancel(place, key)
  setTimeout(() => {
    if (running()) cut()
  }, GRACE).unref()
}

/**
 * Asks the server to cancel whatever that backend runs, by a CancelRequest on a connection of its own
 * (PostgreSQL manual, 55.2.8). Resolves when the server has closed it: the signal is sent by then, and reaches
 * nothing that is sent later. Never throws.
 */
function sendCancel(place: PostgresConfig, { pid, secret }: BackendKey): Promise<void> {
  const { host, port, ssl, ca } = place
  return new Promise((resolve) => {
    const wire = new Connection({ ssl: tlsOptions(host, ssl, ca) } as never) as Wire
    const end = () => {
      clearTimeout(timer)
      wire.stream.destroy()
      resolve()
    }
    const timer = setTimeout(end, PATIENCE)
    wire.on('connect', () => (ssl ? wire.requestSsl() : wire.cancel(pid, secret)))
    wire.on('sslconnect', () => wire.cancel(pid, secret))
    wire.on('error', end)
    wire.on('end', end)
    wire.connect(port, host)
  })
}
