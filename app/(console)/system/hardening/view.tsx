'use client'

import { useQuery } from '@tanstack/react-query'
import { useLiveEvent } from '@/components/live/live'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { PageHeader } from '@/components/ui/text'
import { HardeningItem } from './item'

/** The way from a console that was just started to one that can be relied upon: what is done, and how to go on. */
export function HardeningView() {
  const hardening = useQuery(useTRPC().system.hardening.queryOptions())
  const { data, error, refetch } = hardening
  useLiveEvent('health', () => void refetch())
  return (
    <>
      <PageHeader
        title="Hardening"
        lead={
          data && data.done === data.lines.length
            ? 'Everything is hardened.'
            : `How far this console is hardened${data ? `: ${data.done} of ${data.lines.length}` : ''}.`
        }
      />
      {error && !data ? (
        <ErrorTile error={error} what="Hardening" onRetry={() => refetch()} />
      ) : data ? (
        <ol className="border-t border-border" aria-label="What is hardened">
          {data.lines.map((line) => (
            <HardeningItem key={line.id} line={line} />
          ))}
        </ol>
      ) : (
        <Skeleton className="h-96 w-full" label="Looking at what is hardened" />
      )}
    </>
  )
}
