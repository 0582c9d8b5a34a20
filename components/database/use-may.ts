'use client'

import { useQuery } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'

/** What the signed-in user may do with the database beyond reading. Nothing until it is known. */
export function useMay(): { operate: boolean; manage: boolean } {
  const { data } = useQuery(useTRPC().auth.me.queryOptions())
  const has = (permission: 'database:operate' | 'database:manage') =>
    data?.permissions.includes(permission) ?? false
  return { operate: has('database:operate'), manage: has('database:manage') }
}
