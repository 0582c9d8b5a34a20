import type { Failure, FailureCode } from './types'

/** Causes that can go away without anybody changing the run. */
const HEALING: ReadonlySet<FailureCode> = new Set([
  'SOURCE_BUSY',
  'TARGET_UNREACHABLE',
  'TARGET_LOST',
  'TARGET_FULL',
  'TARGET_BUSY',
  'TARGET_READ_ONLY',
  'RUN_ACTIVE',
  'WORKER_LOST',
])

interface Where {
  table?: string | undefined
  column?: string | undefined
  cause?: unknown
  /** Other than what is usual for the code. */
  heals?: boolean | undefined
}

/** An end that the engine understands: what happened, and what an admin can do about it. */
export class MigrationError extends Error {
  readonly code: FailureCode
  readonly remedy: string
  readonly table?: string
  readonly column?: string
  readonly heals: boolean

  constructor(code: FailureCode, message: string, remedy: string, where: Where = {}) {
    super(message, { cause: where.cause })
    this.name = 'MigrationError'
    this.code = code
    this.remedy = remedy
    this.table = where.table
    this.column = where.column
    this.heals = where.heals ?? HEALING.has(code)
  }
}

/** Plain data for IPC. Errors that nobody foresaw become INTERNAL with their message. */
export function toFailure(error: unknown, resumable: boolean): Failure {
  if (error instanceof MigrationError) {
    const { code, message, remedy, table, column, heals } = error
    return { code, message, remedy, ...(table && { table }), ...(column && { column }), resumable, heals }
  }
  const message = error instanceof Error ? error.message : String(error)
  return {
    code: 'INTERNAL',
    message: `The migration stopped on an unforeseen error: ${message}`,
    remedy: resumable
      ? 'Resume the run; if it stops again, cancel it and report the message.'
      : 'Report the message.',
    resumable,
    heals: false,
  }
}

/** The error that a failure described, on the other side of a process or thread boundary. */
export function fromFailure(failure: Failure): MigrationError {
  const { code, message, remedy, table, column, heals } = failure
  return new MigrationError(code, message, remedy, { table, column, heals })
}

const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 60_000

/** How long to wait before the try after `attempts` failed ones: twice as long each time, a minute at most. */
export function waitAfter(attempts: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1))
}
