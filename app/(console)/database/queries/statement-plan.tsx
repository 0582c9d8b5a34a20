'use client'

import { useQuery } from '@tanstack/react-query'
import { useId } from 'react'
import { useTRPC } from '@/components/trpc/trpc'
import { CopyButton } from '@/components/ui/copy-button'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'

/** How the database would run a statement, as it writes it. The statement is not run for it. */
export function StatementPlan({ fingerprint }: { fingerprint: string }) {
  const id = useId()
  const plan = useQuery(useTRPC().database.plan.queryOptions({ fingerprint }, { staleTime: 60_000 }))
  if (!plan.data) {
    if (plan.isPending) return <Skeleton className="h-32 w-full" label="Planning the statement" />
    return <ErrorTile error={plan.error} what="Plan" onRetry={() => plan.refetch()} />
  }
  const { plan: text, because } = plan.data
  if (text === null) return <p className="text-muted">{because ?? 'The database gives no plan for it.'}</p>
  return (
    <>
      {because ? <p className="mb-2 text-muted">{because}</p> : null}
      <div className="flex items-start gap-1 border-y border-border bg-wash">
        <section
          aria-label="Plan of the statement"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
          tabIndex={0}
          className="max-h-96 min-w-0 flex-1 overflow-auto"
        >
          <pre className="px-3 py-2 font-mono text-note">
            <code id={id}>{text}</code>
          </pre>
        </section>
        <CopyButton text={text} textId={id} label="Copy the plan" />
      </div>
    </>
  )
}
