'use client'

import { useQueryClient } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'

/** Reads blocks, trusted sources and limits again. */
export function useRefresh(): () => Promise<void> {
  const trpc = useTRPC()
  const queries = useQueryClient()
  return async () => {
    await Promise.all([
      queries.invalidateQueries(trpc.security.blocks.list.pathFilter()),
      queries.invalidateQueries(trpc.security.trusted.list.pathFilter()),
      queries.invalidateQueries(trpc.security.limits.state.pathFilter()),
    ])
  }
}
