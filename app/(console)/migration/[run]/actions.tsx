'use client'

import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { useStepUp } from '@/components/auth/step-up'
import { isDeletable } from '@/components/migration/rules'
import type { Run } from '@/components/migration/types'
import { placeOf } from '@/components/migration/words'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { errorFacts } from '@/components/ui/error-facts'
import { formatCount } from '@/components/ui/format'
import { useToast } from '@/components/ui/toast'

export interface RunPartProps {
  run: Run
  can: { operate: boolean; manage: boolean }
  onChanged: () => unknown
}

/**
 * Start, pause, resume, cancel, delete: what the run's state and the user's role allow. `undecided`: something was
 * chosen that is not in the plan yet.
 */
export function RunActions({ run, can, onChanged, undecided }: RunPartProps & { undecided: boolean }) {
  const client = useTRPCClient()
  const router = useRouter()
  const toast = useToast()
  const { ask, dialog } = useStepUp()
  const [open, setOpen] = useState<'cancel' | 'delete'>()
  const { id, state } = run
  const act = async (change: () => Promise<unknown>) => {
    try {
      await change()
    } catch (error) {
      const { message, remedy } = errorFacts(error)
      toast({ text: [message, remedy].filter(Boolean).join(' '), tone: 'bad' })
    }
    await onChanged()
  }
  const blocked = undecided ? 'Plan by what you chose, or discard it, first' : startBlockedBy(run)
  const waits = state === 'paused' && run.error?.retryAt !== undefined
  const resumable = state === 'paused' || (state === 'failed' && run.error?.resumable === true)
  const place = `${placeOf(run.target)}, schema ${run.target.schema}`
  return (
    <>
      {state === 'planned' && can.manage ? (
        <>
          <Button
            disabled={run.phase !== null}
            title={run.phase !== null ? 'Checks and plan are being made' : undefined}
            onClick={() => act(() => client.migration.plan.mutate({ id }))}
          >
            Check again
          </Button>
          <Button
            variant="primary"
            disabled={blocked !== null}
            title={blocked ?? undefined}
            onClick={() =>
              ask({
                action: 'migration.start',
                input: { id },
                label: 'Start the migration',
                effect: `${run.sourceName} is copied to ${place}. The source is only read.`,
                run: async (grantId) => {
                  await client.migration.start.mutate({ id }, { context: { stepUp: grantId } })
                  await onChanged()
                },
              })
            }
          >
            Start
          </Button>
        </>
      ) : null}
      {state === 'running' && can.operate ? (
        <Button onClick={() => act(() => client.migration.pause.mutate({ id }))}>Pause</Button>
      ) : null}
      {waits && can.operate ? (
        <Button onClick={() => act(() => client.migration.pause.mutate({ id }))}>Stop trying</Button>
      ) : null}
      {resumable && can.operate ? (
        <Button variant="primary" onClick={() => act(() => client.migration.resume.mutate({ id }))}>
          {waits ? 'Try now' : run.error?.code === 'VALIDATION_RED' ? 'Compare again' : 'Resume'}
        </Button>
      ) : null}
      {isCancellable(run) && can.operate ? (
        <Button onClick={() => setOpen('cancel')}>Cancel run</Button>
      ) : null}
      {isDeletable(run) && can.manage ? <Button onClick={() => setOpen('delete')}>Delete run</Button> : null}
      <ConfirmDialog
        open={open === 'cancel'}
        onClose={() => setOpen(undefined)}
        title="Cancel the run"
        effect={cancelEffect(run)}
        confirmName={state === 'planned' ? undefined : run.target.database}
        confirmLabel="Cancel run"
        onConfirm={async () => {
          await client.migration.cancel.mutate({ id })
          await onChanged()
        }}
      />
      <ConfirmDialog
        open={open === 'delete'}
        onClose={() => setOpen(undefined)}
        title="Delete the run"
        effect="Its plan, validation, report and log are deleted here. What it wrote to the target stays there."
        confirmLabel="Delete run"
        onConfirm={async () => {
          await client.migration.delete.mutate({ id })
          router.push('/migration')
        }}
      />
      {dialog}
    </>
  )
}

function startBlockedBy({ phase, plan, checks, error }: Run): string | null {
  if (phase !== null) return 'Checks and plan are being made'
  if (checks.some(({ state }) => state === 'red')) return 'A check is red'
  if (error || !plan) return 'There is no plan: check again'
  const open = checks.filter(({ state, acknowledged }) => state === 'amber' && !acknowledged).length
  return open > 0 ? `Acknowledge ${formatCount(open, 'amber check')} first` : null
}

function isCancellable({ state, sourceKind, phase }: Run): boolean {
  if (phase === 'switchover') return false
  if (state === 'completed') return sourceKind === 'store'
  return state === 'planned' || state === 'running' || state === 'paused' || state === 'failed'
}

function cancelEffect(run: Run): string {
  if (run.state === 'planned') return 'Nothing has been written yet. The run stays in the history.'
  return `Everything that this run wrote to ${placeOf(run.target)} is removed, so that the target is as it was before. The source is not touched.`
}
