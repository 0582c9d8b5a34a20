'use client'

import { useQuery } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'

/** What the signed-in user may do with an area beyond reading. Nothing until it is known. */
export function useMay(area: 'database' | 'cache' | 'security'): { operate: boolean; manage: boolean } {
  const { data } = useQuery(useTRPC().auth.me.queryOptions())
  const has = (what: 'operate' | 'manage') => data?.permissions.includes(`${area}:${what}`) ?? false
  return { operate: has('operate'), manage: has('manage') }
}
