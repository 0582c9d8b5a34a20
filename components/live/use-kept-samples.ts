'use client'

import { useQuery } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'
import { useSamples } from './live'

/** How many samples a page brings with it: a minute's. */
export const SAMPLES_IN_PAGE = 60

/**
 * Samples from as far back as they are kept. The page brings a minute of them; the quarter of an hour is
 * fetched once it is shown, so that the first HTML stays small.
 */
export function useKeptSamples() {
  const trpc = useTRPC()
  const brought = useQuery(trpc.system.history.queryOptions({ samples: SAMPLES_IN_PAGE }))
  const kept = useQuery(trpc.system.history.queryOptions({ samples: 900 }, { staleTime: 300_000 }))
  return useSamples(kept.data ?? brought.data)
}
