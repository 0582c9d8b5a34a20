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

/** Whether a transaction lost a race that PostgreSQL resolves by asking for another try (40001, 40P01). */
export function isRetryable(error: unknown): boolean {
  const code = databaseCode(error)
  return code === '40001' || code === '40P01'
}

function isCoded(error: unknown): error is { code: string } {
  return typeof (error as { code?: unknown } | null)?.code === 'string'
}
