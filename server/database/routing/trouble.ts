import { databaseCode } from '@/db/errors'
import { HoldfastError, isHoldfastError } from '@/server/errors'

/** A caller that waited at a node which is not to be used any more: nothing was sent for him. */
export function moved(): HoldfastError {
  return new HoldfastError('DATABASE_UNAVAILABLE', {
    message: 'The database server is changing.',
    remedy: 'Try again in a moment.',
    retryAfterMs: 1_000,
    details: { reason: 'moved' },
  })
}

const reasonOf = (error: unknown) => (isHoldfastError(error) ? error.details?.reason : undefined)

export function isMoved(error: unknown): boolean {
  return reasonOf(error) === 'moved'
}

/** The connection broke while the statement was on its way: it may have happened or not. */
export function isLostOnTheWay(error: unknown): boolean {
  return reasonOf(error) === 'lost'
}

/** The server is a replica, or read-only: it refused before anything was written. */
export function isRefusedWrite(error: unknown): boolean {
  return databaseCode(error) === '25006'
}

/** What a writer gets when no server takes writes within the bound. */
export function readOnly(waitedMs: number, why: string): HoldfastError {
  return new HoldfastError('DATABASE_READ_ONLY', {
    message: `No PostgreSQL server took writes within ${(waitedMs / 1000).toFixed(1)} s. ${why}`,
    remedy:
      'Nothing was written; reads go on. Holdfast finds the new primary by itself: try again in a moment, and look at Database → Replicas if it lasts.',
    retryAfterMs: 2_000,
  })
}

/** What a reader gets when no server that has seen his writes answers within the bound. */
export function unreadable(waitedMs: number): HoldfastError {
  return new HoldfastError('DATABASE_UNAVAILABLE', {
    message: `No PostgreSQL server that has replayed your last change answered within ${(waitedMs / 1000).toFixed(1)} s.`,
    remedy: 'Check that the servers run. Holdfast keeps trying.',
    retryAfterMs: 1_000,
  })
}
