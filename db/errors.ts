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
 * Whether a transaction is worth another try: it lost a race (40001, 40P01), or what was prepared for it is
 * out of date, which is mended for the next time (0A000 after a change of the table, 26000 and 42P05 by a pooler).
 */
export function isRetryable(error: unknown): boolean {
  const code = databaseCode(error)
  if (code === '0A000') return /cached plan/.test(rootMessage(error))
  return code === '40001' || code === '40P01' || code === '26000' || code === '42P05'
}

function rootMessage(error: unknown): string {
  const cause = (error as { cause?: unknown } | null)?.cause
  return cause instanceof Error ? rootMessage(cause) : String((error as Error).message)
}

function isCoded(error: unknown): error is { code: string } {
  return typeof (error as { code?: unknown } | null)?.code === 'string'
}
