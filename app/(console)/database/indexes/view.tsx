'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useMay } from '@/components/auth/use-may'
import type { OfferedAdvice } from '@/components/database/types'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { PageHeader } from '@/components/ui/text'
import { ReadAt } from '@/components/ui/time'
import { AdviceSection } from './advice-section'
import { ChangesSection } from './changes-section'
import { ProblemsSection } from './problems-section'
import { UnadvisedSection } from './unadvised-section'
import { useIndexActions } from './use-index-actions'
import { methodWords } from './words'

/** Indexes that would help, with evidence; what became of those made; and what is wrong with those that are there. */
export function IndexesView() {
  const trpc = useTRPC()
  const client = useTRPCClient()
  const queries = useQueryClient()
  const { manage } = useMay('database')
  const advice = useQuery(trpc.database.advice.queryOptions({}, { staleTime: 60_000 }))
  const actions = useIndexActions()
  const [failure, setFailure] = useState<unknown>()
  const { data } = advice

  async function lookAgain() {
    setFailure(undefined)
    try {
      queries.setQueryData(
        trpc.database.advice.queryKey({}),
        await client.database.advice.query({ fresh: true }),
      )
    } catch (error) {
      setFailure(error)
    }
  }
  return (
    <>
      <PageHeader
        title="Index advice"
        lead={data ? <Lead of={data} manage={manage} /> : undefined}
        actions={
          <Button onClick={lookAgain} busy={advice.isPending}>
            Look again
          </Button>
        }
      />
      {failure ? <ErrorTile error={failure} what="Looking again" onRetry={lookAgain} /> : null}
      {data ? (
        <TileBoundary what="Advice">
          <AdviceSection of={data} manage={manage} onMake={actions.make} />
        </TileBoundary>
      ) : advice.error ? (
        <ErrorTile error={advice.error} what="Index advice" onRetry={() => advice.refetch()} />
      ) : (
        <Skeleton className="h-64 w-full" label="Looking at the statements" />
      )}
      <TileBoundary what="Changes">
        <ChangesSection manage={manage} onUndo={actions.undo} />
      </TileBoundary>
      {data ? (
        <>
          <TileBoundary what="Problems">
            <ProblemsSection of={data} manage={manage} onMend={actions.mend} />
          </TileBoundary>
          <TileBoundary what="Statements without advice">
            <UnadvisedSection of={data} />
          </TileBoundary>
        </>
      ) : null}
      {actions.dialog}
    </>
  )
}

function Lead({ of: { at, looked, method }, manage }: { of: OfferedAdvice; manage: boolean }) {
  const { name, how } = methodWords[method]
  return (
    <>
      {formatCount(looked, 'statement')} looked at. Costs by {name}: {how}.
      {manage ? '' : ' Only an admin can make or drop indexes.'} <ReadAt at={at} />
    </>
  )
}
