import type { PgConnection } from '@/db/open'
import { cannotConnect } from '../failures'
import type { FullConfig } from './config'
import { Connection } from './connection'
import type { ConnectionEvents } from './connection-events'
import { openClient } from './connection-open'
import { lend } from './lend'
import type { StatementBook } from './pipeline-statement'

/** A connection to the server itself, with a session that lasts until it is released. */
export interface DirectConnection extends PgConnection {
  /** Calls back for every NOTIFY on a channel that was LISTENed to. */
  onNotification(listener: (channel: string, payload: string) => void): void
  /** Calls back once when the connection breaks before it is released. */
  onLost(listener: () => void): void
}

/** Opens one; `open` holds it while it lives. Throws DATABASE_UNAVAILABLE with the reason and a remedy. */
export async function openDirect(
  config: FullConfig,
  book: StatementBook,
  events: ConnectionEvents,
  open: Set<Connection>,
): Promise<DirectConnection> {
  const place: FullConfig = { ...config, ...config.direct, queryTimeout: 0 }
  let connection: Connection | undefined
  let lost: (() => void) | undefined
  let ended = false
  const client = await openClient(place, () => {
    connection?.die()
    if (connection) open.delete(connection)
    if (!ended) lost?.()
    ended = true
  }).catch((error) => {
    throw cannotConnect(place, error)
  })
  const opened = new Connection(client, place, book, { ...events, moved: () => {}, named: () => false })
  connection = opened
  opened.lend()
  open.add(opened)
  const lent = lend(opened, book, () => {
    ended = true
    open.delete(opened)
    opened.end()
  })
  return {
    ...lent,
    onNotification: (listener) => {
      client.on('notification', ({ channel, payload = '' }) => listener(channel, payload))
    },
    onLost: (listener) => {
      lost = listener
    },
  }
}
