'use client'

import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { isDeletable } from '@/components/migration/rules'
import type { RunSummary } from '@/components/migration/types'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { formatCount } from '@/components/ui/format'

/** What can be done with the runs that are ticked in the history. */
export function SelectedActions({
  runs,
  canDelete,
  onDone,
}: {
  runs: readonly RunSummary[]
  canDelete: boolean
  onDone: () => unknown
}) {
  const client = useTRPCClient()
  const router = useRouter()
  const [asking, setAsking] = useState(false)
  if (runs.length === 0) return null
  const kept = runs.find((run) => !isDeletable(run))
  const [a, b] = [...runs].sort((one, other) => one.createdAt - other.createdAt)
  return (
    <>
      <Button
        disabled={runs.length !== 2}
        title={runs.length === 2 ? undefined : 'Tick two runs'}
        onClick={() => router.push(`/migration/compare?a=${a?.id}&b=${b?.id}`)}
      >
        Compare
      </Button>
      {canDelete ? (
        <Button
          disabled={kept !== undefined}
          title={kept ? `The run of ${kept.sourceName} is still needed` : undefined}
          onClick={() => setAsking(true)}
        >
          Delete {formatCount(runs.length, 'run')}
        </Button>
      ) : null}
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        title={`Delete ${formatCount(runs.length, 'run')}`}
        effect="Plan, validation, report and log of each are deleted here. What it wrote to its target stays there."
        confirmLabel="Delete"
        onConfirm={async () => {
          for (const { id } of runs) await client.migration.delete.mutate({ id })
          await onDone()
        }}
      />
    </>
  )
}
