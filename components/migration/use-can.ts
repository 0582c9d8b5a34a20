'use client'

import { useQuery } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'

/** What the signed-in user may do with migrations. */
export function useCan(): { operate: boolean; manage: boolean } {
  const { data } = useQuery(useTRPC().auth.me.queryOptions())
  const has = (permission: 'migration:operate' | 'migration:manage') =>
    data?.permissions.includes(permission) ?? false
  return { operate: has('migration:operate'), manage: has('migration:manage') }
}
