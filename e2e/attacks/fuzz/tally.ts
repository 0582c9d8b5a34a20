/** Codes of refusals before a procedure's own code saw the input. */
const before = new Set([
  ...[
    'BAD_INPUT',
    'UNAUTHENTICATED',
    'SESSION_ENDED',
    'FORBIDDEN',
    'BAD_ORIGIN',
    'STEP_UP_REQUIRED',
    'BLOCKED',
  ],
  ...[
    'FACTOR_REQUIRED',
    'FRESH_FACTOR_REQUIRED',
    'PASSWORD_CHANGE_REQUIRED',
    'METHOD_NOT_ALLOWED',
    'TOO_LARGE',
  ],
  ...['UNSUPPORTED_TYPE', 'TOO_MANY_REQUESTS', 'SHUTTING_DOWN', 'INTERNAL'],
])

/** Failures that are told by their code: a server that was named is away, or this console has no Redis. */
const told = new Set(['TARGET_UNREACHABLE', 'CACHE_UNAVAILABLE'])

/** What came of the requests. */
export function openTally() {
  const statuses: Record<string, number> = {}
  const reached: Record<string, number> = {}
  const failures: string[] = []
  return {
    statuses,
    /** By procedure, how often a valid input reached its code. */
    reached,
    failures,
    count(status: number) {
      statuses[status] = (statuses[status] ?? 0) + 1
    },
    /** Of an answer that has a code, or none because all is well. */
    reach(procedure: string, code: string | undefined) {
      if (code === undefined || !before.has(code)) reached[procedure] = (reached[procedure] ?? 0) + 1
    },
    /** Whether an answer is a failure of the console's own. */
    failed: (status: number, code: string | undefined) =>
      status === 0 || code === 'INTERNAL' || (status >= 500 && !told.has(code ?? '')),
    total: () => Object.values(statuses).reduce((sum, count) => sum + count, 0),
    refused: () => [401, 403, 429].reduce((sum, status) => sum + (statuses[status] ?? 0), 0),
  }
}

export type Tally = ReturnType<typeof openTally>

/** The code of a REST answer or of one answer of tRPC. */
export function codeOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined
  const { code, error } = answer as { code?: unknown; error?: { data?: { code?: string } } }
  // What REST answers may have an error of its own: a run's.
  if (error?.data) return error.data.code ?? 'INTERNAL'
  return typeof code === 'string' ? code : undefined
}

/** What an answer's text says in JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
