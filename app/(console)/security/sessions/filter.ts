/** What is asked for by `?user=` of the URL; null for everybody. Server and browser ask with the same words. */
export function sessionsOf(user: string | null): { userId?: string } {
  return user ? { userId: user } : {}
}
