/** The database's own code of an error, looked for through drizzle's wrapping: `23505`, `SQLITE_CONSTRAINT_UNIQUE`, `ECONNREFUSED` … */
export function databaseCode(error: unknown): string | undefined {
  for (let at = error; at instanceof Error || isCoded(at); at = (at as { cause?: unknown }).cause) {
    if (isCoded(at)) return at.code
  }
  return undefined
}

/** Whether a write failed because a unique value exists already. */
export function isUniqueViolation(error: unknown): boolean {
  const code = databaseCode(error)
  return code === '23505' || code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY'
}

/**
 * Whether the connection broke under a statement, told by its code or by who translated it. One that broke while a
 * change was being committed, whose outcome nobody knows, does not count: such a change must not be made again.
 */
export function isLost(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { details } = at as { details?: { reason?: unknown } }
    if (details?.reason === 'lost') return true
    if (details?.reason === 'outcome-unknown') return false
  }
  // Class 08: connection exceptions; 57P01–57P03: the server shuts down, crashed or starts.
  return /^(08...|57P0[123]|ECONNRESET|EPIPE)$/.test(databaseCode(error) ?? '')
}

/**
 * Whether a transaction that was not committing is worth another try: it lost a race (40001, 40P01), its
 * connection, or rested for too long (25P03), or its server is a replica by now (25006); or what was prepared for it is out of date, which is
 * mended for the next time (0A000 after a change of the table, 26000 and 42P05 by a pooler).
 */
export function isRetryable(error: unknown): boolean {
  if (isLost(error)) return true
  const code = databaseCode(error)
  if (code === '0A000') return /cached plan/.test(rootMessage(error))
  return RETRYABLE.has(code ?? '')
}

const RETRYABLE = new Set(['40001', '40P01', '25006', '26000', '42P05', '25P03'])

function rootMessage(error: unknown): string {
  const cause = (error as { cause?: unknown } | null)?.cause
  return cause instanceof Error ? rootMessage(cause) : String((error as Error).message)
}

function isCoded(error: unknown): error is { code: string } {
  return typeof (error as { code?: unknown } | null)?.code === 'string'
}
