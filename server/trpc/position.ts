import { Position, within } from '@/server/database'
import { readCookie, setCookie } from '@/server/security/requests/cookies'

/** For programs, which keep no cookies: they may send back what the last answer told. */
const header = 'holdfast-position'

/** A replica that is further behind than this gets no reads anyway. */
const LIFE_MS = 10 * 60_000

/**
 * How far the database's log went when this session last wrote, as its request tells it. It is no secret and no
 * right: who makes one up reads from the primary, or as late as others do.
 */
export function positionOf(headers: Headers, secure: boolean): Position {
  return new Position(headers.get(header) ?? readCookie(headers, 'position', secure) ?? null)
}

/** Runs a session's work; when it wrote, the answer tells how far the log went, for whichever instance is next. */
export async function following<T>(
  {
    position,
    resHeaders,
    secure,
    now,
  }: { position: Position; resHeaders: Headers; secure: boolean; now: number },
  work: () => Promise<T>,
): Promise<T> {
  const before = position.text()
  try {
    return await within(position, work)
  } finally {
    const after = position.text()
    if (after !== null && after !== before) {
      setCookie(resHeaders, 'position', after, { secure, now, expiresAt: now + LIFE_MS })
      resHeaders.set(header, after)
    }
  }
}
