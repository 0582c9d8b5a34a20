'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'
import { useLiveEvent } from './live'

/** The health of every component: from the page, then from the stream whenever a state changes. */
export function useHealth() {
  const trpc = useTRPC()
  const cache = useQueryClient()
  useLiveEvent('health', ({ health }) => cache.setQueryData(trpc.system.health.queryKey(), health))
  return useQuery(trpc.system.health.queryOptions(undefined, { refetchInterval: 15_000 }))
}
