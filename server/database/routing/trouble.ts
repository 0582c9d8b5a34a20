import { databaseCode } from '@/db/errors'
import { HoldfastError } from '@/server/errors'

/** The server is a replica, or read-only: it refused before anything was written. */
export function isRefusedWrite(error: unknown): boolean {
  return databaseCode(error) === '25006'
}

/**
 * Whether the primary may well answer what a replica refused: it writes after all, it stood in the way of what is
 * being replayed (40001, 40P01), or it names what the replica has not replayed yet or can't know (42…, 55000).
 */
export function isReplicasOwn(error: unknown): boolean {
  return /^(25006|40001|40P01|42...|55000)$/.test(databaseCode(error) ?? '')
}

/** What a writer gets when no server takes writes within the bound, though some answer. */
export function readOnly(waitedMs: number, why: string): HoldfastError {
  return new HoldfastError('DATABASE_READ_ONLY', {
    message: `No PostgreSQL server took writes within ${seconds(waitedMs)}. ${why}`,
    remedy:
      'Nothing was changed, and reads go on. Promote a replica or bring the primary back: Holdfast finds it by itself. A replaced primary must return as a replica.',
    retryAfterMs: 2_000,
  })
}

/** What a caller gets when no server answers that may answer him. */
export function nobodyAnswers(waitedMs: number, why: string): HoldfastError {
  return new HoldfastError('DATABASE_UNAVAILABLE', {
    message: `No PostgreSQL server could answer within ${seconds(waitedMs)}. ${why}`,
    remedy: 'Check that the servers run and accept connections. Holdfast keeps trying.',
    retryAfterMs: 2_000,
  })
}

export function tooManyWait(why: string): HoldfastError {
  return new HoldfastError('DATABASE_UNAVAILABLE', {
    message: `Too many callers wait for a PostgreSQL server already. ${why}`,
    remedy: 'Try again in a moment.',
    retryAfterMs: 2_000,
  })
}

/** A change whose connection broke when it was on its way, or being committed. It is whole: there, or not there. */
export function outcomeUnknown(cause: unknown): HoldfastError {
  return new HoldfastError(
    'DATABASE_UNAVAILABLE',
    {
      message:
        'The connection to PostgreSQL was lost while a change was on its way: it may have happened or not.',
      remedy: 'Look whether it is there before trying it again.',
      retryAfterMs: 1_000,
      details: { reason: 'outcome-unknown' },
    },
    { cause },
  )
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}
