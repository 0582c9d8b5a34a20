import type { ConnectionOptions } from 'node:tls'
import { Client } from 'pg'
import { BackupError } from './error'

/** A store on a PostgreSQL server. */
export interface PostgresPlace {
  dialect: 'postgresql'
  host: string
  port: number
  database: string
  user: string
  password: string
  /** TLS: verified, only encrypted, or none. */
  ssl: boolean | 'no-verify'
  /** File of the authorities that are trusted; absent: the system's. */
  caFile?: string | undefined
  /** What the driver takes for `ssl`. */
  tls: false | ConnectionOptions
}

/** Where a store stands. */
export type StorePlace = { dialect: 'sqlite'; file: string } | PostgresPlace

/** host:port/database, as sentences name it. */
export const nameOf = (place: StorePlace) =>
  place.dialect === 'sqlite' ? place.file : `${place.host}:${place.port}/${place.database}`

/** Works with one connection to a server, and ends it. Throws a {@link BackupError} when there is none. */
export async function withClient<T>(place: PostgresPlace, work: (client: Client) => Promise<T>): Promise<T> {
  const { host, port, database, user, password, tls } = place
  const client = new Client({
    ...{ host, port, database, user, password, ssl: tls },
    application_name: 'holdfast backup',
    connectionTimeoutMillis: 10_000,
  })
  // A connection that breaks makes the query fail; without a listener it would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (cause) {
    throw new BackupError(
      `PostgreSQL at ${nameOf(place)} cannot be used: ${(cause as Error).message}.`,
      'npm run doctor tells which step fails.',
      { cause },
    )
  }
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}
