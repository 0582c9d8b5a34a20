import { useQueryClient } from '@tanstack/react-query'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'

export type Move = 'acknowledge' | 'close' | 'reopen'

/**
 * Acknowledges, closes or reopens a finding. It is shown as it will be at once, and as it was where the console
 * refuses, with the error thrown.
 */
export function useMove(id: string, by: string) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const { security } = useTRPCClient()
  const one = trpc.security.findings.one.queryKey({ id })
  return async (to: Move, note: string | undefined): Promise<void> => {
    const noted = note === undefined ? {} : { note }
    // What is on its way already would bring back how it was.
    await queries.cancelQueries({ queryKey: one })
    const before = queries.getQueryData(one)
    if (before) queries.setQueryData(one, { ...before, ...noted, ...marks[to](by) })
    try {
      await security.findings[to].mutate({ id, ...noted })
    } catch (error) {
      queries.setQueryData(one, before)
      throw error
    } finally {
      void queries.invalidateQueries(trpc.security.findings.pathFilter())
    }
  }
}

const nobody = { acknowledgedAt: null, acknowledgedBy: null, closedAt: null, closedBy: null }

/** What a move changes of a finding. */
const marks = {
  acknowledge: (by: string) => ({
    ...{ state: 'acknowledged' as const, acknowledgedBy: by, acknowledgedAt: Date.now() },
  }),
  close: (by: string) => ({ state: 'closed' as const, closedBy: by, closedAt: Date.now() }),
  reopen: () => ({ state: 'open' as const, ...nobody }),
}
