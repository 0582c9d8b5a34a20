import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'

/** What pg and node's tls take, of our three words: true verifies, 'no-verify' only encrypts, false is plain. */
export function tlsOptions(host: string, ssl: boolean | 'no-verify' | undefined): false | ConnectionOptions {
  if (!ssl) return false
  return { rejectUnauthorized: ssl !== 'no-verify', ...(isIP(host) ? {} : { servername: host }) }
}
