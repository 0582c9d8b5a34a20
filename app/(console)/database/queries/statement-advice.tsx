'use client'

import { useQuery } from '@tanstack/react-query'
import { factorOf } from '@/components/database/cost'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile } from '@/components/ui/error-tile'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { Skeleton } from '@/components/ui/skeleton'
import { Mono } from '@/components/ui/text'

/** The index that was advised for a statement, or why none is. */
export function StatementAdvice({ fingerprint }: { fingerprint: string }) {
  const advice = useQuery(useTRPC().database.advice.queryOptions({}, { staleTime: 60_000 }))
  if (!advice.data) {
    if (advice.isPending) return <Skeleton className="h-12 w-full" label="Reading the advice" />
    return <ErrorTile error={advice.error} what="Index advice" onRetry={() => advice.refetch()} />
  }
  const { data } = advice
  const found = data.advice.find(({ verdicts }) => verdicts.some((each) => each.fingerprint === fingerprint))
  if (found) {
    const verdict = found.verdicts.find((each) => each.fingerprint === fingerprint)
    return (
      <>
        <p>{verdict?.because}</p>
        {verdict?.evidence ? (
          <p className="text-muted tabular-nums">
            {factorOf(verdict.evidence.costBefore, verdict.evidence.costAfter)} less.
          </p>
        ) : null}
        <p className="mt-1">
          <Link
            href={`/database/indexes#advice-${found.key}`}
            className={`inline-block min-h-6 ${plainLink}`}
          >
            See the index <Mono>{found.name}</Mono>
          </Link>
        </p>
      </>
    )
  }
  const none = data.none.find((each) => each.fingerprint === fingerprint)
  return (
    <p className="text-muted">
      {none?.because ?? data.missing ?? 'It was not among the statements that were looked at last.'}
    </p>
  )
}
