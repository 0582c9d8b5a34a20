import { createHash, randomBytes } from 'node:crypto'

/** 256 bits of chance, base64url: a refresh token, a link's token, a challenge, an API key. */
export const newOpaqueToken = () => randomBytes(32).toString('base64url')

/** All that is stored of such a token, and its id where it has a row of its own. */
export const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url')
