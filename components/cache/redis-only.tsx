'use client'

import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTRPC } from '@/components/trpc/trpc'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Mono } from '@/components/ui/text'
import type { Stats } from './types'

/** A page that needs Redis. Without one it says what to set, under the page's plain `header`. */
export function RedisOnly({
  header,
  children,
}: {
  header: ReactNode
  children: (stats: Stats) => ReactNode
}) {
  const stats = useQuery(useTRPC().cache.stats.queryOptions(undefined, { refetchInterval: 5_000 }))
  const { data, error } = stats
  if (data && data.mode !== 'memory') return children(data)
  return (
    <>
      {header}
      {data ? (
        <NoRedis />
      ) : error ? (
        <ErrorTile error={error} what="The cache" onRetry={() => stats.refetch()} />
      ) : (
        <Skeleton className="h-64 w-full" label="Reading the cache" />
      )}
    </>
  )
}

/** No Redis is configured: what to set. */
export function NoRedis() {
  return (
    <Empty kind="not-enabled" title="No Redis is configured: the cache lives in this process">
      Set <Mono>REDIS_HOST</Mono>, or <Mono>REDIS_CLUSTER_ENABLED</Mono> and <Mono>REDIS_CLUSTER_NODES</Mono>,
      or <Mono>REDIS_SENTINELS</Mono> and <Mono>REDIS_SENTINEL_NAME</Mono>, and restart. Several instances
      then share one cache.
    </Empty>
  )
}
