'use client'

import { useQuery } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'

/** Whether the signed-in user may change users, sessions and keys. False until it is known. */
export function useMayManage(): boolean {
  const { data } = useQuery(useTRPC().auth.me.queryOptions())
  return data?.permissions.includes('security:manage') ?? false
}
