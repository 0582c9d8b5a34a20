/** Tells those who serve a session, such as open event streams, that it has ended. */
export interface SessionEvents {
  /** Calls `listener` with the id of each session that ends. Answers what unsubscribes it. */
  onSessionEnded(listener: (sessionId: string) => void): () => void
  ended(sessionIds: readonly string[]): void
}

export function openSessionEvents(): SessionEvents {
  const listeners = new Set<(sessionId: string) => void>()
  return {
    onSessionEnded(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    ended(sessionIds) {
      for (const id of sessionIds) for (const listener of [...listeners]) listener(id)
    },
  }
}
