import type { Failure, FailureCode } from './types'

/** An end that the engine understands: what happened, and what an admin can do about it. */
export class MigrationError extends Error {
  readonly code: FailureCode
  readonly remedy: string
  readonly table?: string
  readonly column?: string

  constructor(
    code: FailureCode,
    message: string,
    remedy: string,
    where: { table?: string; column?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: where.cause })
    this.name = 'MigrationError'
    this.code = code
    this.remedy = remedy
    this.table = where.table
    this.column = where.column
  }
}

/** Plain data for IPC. Errors that nobody foresaw become INTERNAL with their message. */
export function toFailure(error: unknown, resumable: boolean): Failure {
  if (error instanceof MigrationError) {
    const { code, message, remedy, table, column } = error
    return { code, message, remedy, ...(table && { table }), ...(column && { column }), resumable }
  }
  const message = error instanceof Error ? error.message : String(error)
  return {
    code: 'INTERNAL',
    message: `The migration stopped on an unforeseen error: ${message}`,
    remedy: resumable
      ? 'Resume the run; if it stops again, cancel it and report the message.'
      : 'Report the message.',
    resumable,
  }
}

/** The error that a failure described, on the other side of a process or thread boundary. */
export function fromFailure(failure: Failure): MigrationError {
  const { code, message, remedy, table, column } = failure
  return new MigrationError(code, message, remedy, { table, column })
}
