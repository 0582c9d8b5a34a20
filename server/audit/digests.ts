import { createHash, createHmac } from 'node:crypto'

/** SHA-256 in hex. */
export const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** HMAC-SHA-256 in hex. */
export const macOf = (bytes: Uint8Array, key: Uint8Array) =>
  createHmac('sha256', key).update(bytes).digest('hex')
