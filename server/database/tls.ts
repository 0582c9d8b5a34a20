import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'

/**
 * What pg and node's tls take, of our three words: true verifies, 'no-verify' only encrypts, false is plain.
 * @param ca certificates in PEM that are trusted instead of the system's.
 */
export function tlsOptions(
  host: string,
  ssl: boolean | 'no-verify' | undefined,
  ca?: string,
): false | ConnectionOptions {
  if (!ssl) return false
  return {
    rejectUnauthorized: ssl !== 'no-verify',
    ...(ca ? { ca } : {}),
    ...(isIP(host) ? {} : { servername: host }),
  }
}
