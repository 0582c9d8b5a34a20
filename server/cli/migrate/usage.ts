/** Wrong arguments: exit status 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}
