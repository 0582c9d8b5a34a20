'use client'

import { useQuery } from '@tanstack/react-query'
import { useCallback, useMemo } from 'react'
import { useTRPC } from '@/components/trpc/trpc'

/** Who or what the id of a target stands for: a user's e-mail address; else the target as it is. */
export function useNames(): (target: string) => string {
  const { data } = useQuery(useTRPC().security.users.queryOptions(undefined, { staleTime: 60_000 }))
  const names = useMemo(() => new Map(data?.map(({ id, email }) => [id, email])), [data])
  return useCallback((target) => names.get(target) ?? target, [names])
}
