/** Every reason for which Holdfast refuses or fails. Closed: a new one is added here, with its HTTP status. */
export const errorStatus = {
  BAD_INPUT: 400,
  UNAUTHENTICATED: 401,
  SESSION_ENDED: 401,
  WRONG_CREDENTIALS: 401,
  WRONG_CODE: 401,
  CHALLENGE_OVER: 401,
  FORBIDDEN: 403,
  BAD_ORIGIN: 403,
  STEP_UP_REQUIRED: 403,
  FACTOR_REQUIRED: 403,
  FRESH_FACTOR_REQUIRED: 403,
  PASSWORD_CHANGE_REQUIRED: 403,
  BLOCKED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CONFLICT: 409,
  IN_PROGRESS: 409,
  ALREADY_SET_UP: 409,
  LINK_USED: 409,
  LAST_ADMIN: 409,
  OWN_ADDRESS: 409,
  TOO_LARGE: 413,
  UNSUPPORTED_TYPE: 415,
  CHECK_FAILED: 422,
  TOO_MANY_REQUESTS: 429,
  INTERNAL: 500,
  TARGET_UNREACHABLE: 502,
  SHUTTING_DOWN: 503,
  DATABASE_READ_ONLY: 503,
  DATABASE_UNAVAILABLE: 503,
  CACHE_UNAVAILABLE: 503,
} as const

export type ErrorCode = keyof typeof errorStatus

export interface ErrorFacts {
  /** What happened, in one plain sentence that may be shown to a user. */
  message: string
  /** What the user can do about it. */
  remedy?: string
  /** Milliseconds after which another try makes sense. */
  retryAfterMs?: number
  /** Facts for programs, such as the fields that were wrong. */
  details?: Record<string, unknown>
}

/** An error that a user may see. Anything else is shown as INTERNAL with the request id alone. */
export class HoldfastError extends Error {
  override name = 'HoldfastError'
  readonly code: ErrorCode
  readonly remedy: string | undefined
  readonly retryAfterMs: number | undefined
  readonly details: Record<string, unknown> | undefined

  constructor(code: ErrorCode, facts: ErrorFacts | string, options?: ErrorOptions) {
    const { message, remedy, retryAfterMs, details } =
      typeof facts === 'string' ? ({ message: facts } as ErrorFacts) : facts
    super(message, options)
    this.code = code
    this.remedy = remedy
    this.retryAfterMs = retryAfterMs
    this.details = details
  }
}

/** Tells a HoldfastError by its shape: bundles hold copies of this module, so instanceof would miss some. */
export function isHoldfastError(error: unknown): error is HoldfastError {
  return (
    error instanceof Error && error.name === 'HoldfastError' && (error as HoldfastError).code in errorStatus
  )
}
