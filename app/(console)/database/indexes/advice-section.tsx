'use client'

import { useQuery } from '@tanstack/react-query'
import type { OfferedAdvice, OfferedIndex } from '@/components/database/types'
import { useTRPC } from '@/components/trpc/trpc'
import { Empty } from '@/components/ui/empty'
import { formatCount, formatDuration } from '@/components/ui/format'
import { Section } from '@/components/ui/text'
import { AdvisedIndex } from './advised-index'

/** The indexes to make, the most saving first. */
export function AdviceSection({
  of,
  manage,
  onMake,
}: {
  of: OfferedAdvice
  manage: boolean
  onMake: (index: OfferedIndex) => void
}) {
  const { data } = useQuery(useTRPC().database.statements.queryOptions())
  const figures = new Map(data?.statements.map((each) => [each.fingerprint, each]))
  const saved = of.advice.reduce((sum, { savesMilliseconds }) => sum + (savesMilliseconds ?? 0), 0)
  return (
    <Section
      title="Indexes to make"
      note={
        of.advice.length === 0
          ? undefined
          : `${of.advice.length}${saved > 0 ? `, which would have saved ${formatDuration(saved)}` : ''}`
      }
    >
      {of.advice.length === 0 ? (
        <div className="border-y border-border">
          <Nothing of={of} />
        </div>
      ) : (
        <ol className="border-t border-border">
          {of.advice.map((index) => (
            <AdvisedIndex key={index.key} of={index} figures={figures} manage={manage} onMake={onMake} />
          ))}
        </ol>
      )}
    </Section>
  )
}

/** Why there is no advice: none is possible, nothing is known yet, or all is well. */
function Nothing({ of: { missing, looked } }: { of: OfferedAdvice }) {
  if (missing !== null) {
    return (
      <Empty kind="no-permission" title="The statements could not be looked at">
        {missing}
      </Empty>
    )
  }
  if (looked === 0) {
    return (
      <Empty kind="no-data" title="No statement has been measured yet">
        Advice comes once the database has been used for a while.
      </Empty>
    )
  }
  return (
    <Empty kind="no-data" title="No index is missing">
      {formatCount(looked, 'statement')} {looked === 1 ? 'was' : 'were'} looked at, and no index would make
      one of them much faster. The reasons are at the end of this page.
    </Empty>
  )
}
