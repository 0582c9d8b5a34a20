import { createHash } from 'node:crypto'
import { HoldfastError } from '@/server/errors'
import { inputHash } from '@/server/grants'
import type { IdempotentRequest } from '@/server/idempotency'
import type { Context } from './context'
import { kindOf } from './idempotency-kinds'

/**
 * What a mutation is asked for by the header Idempotency-Key, with or without quotes (draft-ietf-httpapi-
 * idempotency-key-header); null without one, and where asking again changes nothing. A key belongs to one user or
 * API key and one procedure. Throws BAD_INPUT for no key, and where a procedure takes none.
 */
export function idempotencyOf(
  { headers, session, requestId }: Pick<Context, 'headers' | 'session' | 'requestId'>,
  procedure: string,
  input: unknown,
): IdempotentRequest | null {
  const header = headers.get('idempotency-key')
  if (header === null) return null
  const key = /^(?:"([\x21\x23-\x7e]{1,200})"|([\x21\x23-\x7e]{1,200}))$/.exec(header.trim())
  if (!key) {
    throw new HoldfastError('BAD_INPUT', {
      message: 'The Idempotency-Key is not 1 to 200 visible ASCII characters.',
      remedy: 'Send a UUID, a new one for each request and the same one when you try again.',
    })
  }
  const kind = kindOf(procedure)
  if (kind === 'looks') return null
  if (kind === 'refused') {
    throw new HoldfastError('BAD_INPUT', {
      message: `${procedure} takes no Idempotency-Key: what signs somebody in is not kept to be answered again.`,
      remedy: 'Leave the header out. Each link, challenge and refresh token works once anyway.',
    })
  }
  const who = session?.kind === 'api-key' ? session.sessionId : (session?.userId ?? 'nobody')
  const id = createHash('sha256')
    .update(JSON.stringify([who, procedure, key[1] ?? key[2]]))
    .digest('base64url')
  return { id, input: inputHash(input), requestId, answer: kind }
}
