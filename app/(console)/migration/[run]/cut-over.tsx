'use client'

import { useId, useState } from 'react'
import { useStepUp } from '@/components/auth/step-up'
import type { Run } from '@/components/migration/types'
import { placeOf } from '@/components/migration/words'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { CopyButton } from '@/components/ui/copy-button'
import { formatCount, formatDuration } from '@/components/ui/format'
import { KeyValue, Mono, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import type { RunPartProps } from './actions'

/** Moves the application of a file: its writes end there, the rest is brought over, and it is told where to go on. */
export function CutOverSection({ run, can, onChanged }: RunPartProps) {
  const client = useTRPCClient()
  const { ask, dialog } = useStepUp()
  const { id, sourceName, phase } = run
  const done = run.report?.cutOver
  if (run.state === 'switched_over' && done) {
    return <Done run={run} done={done} canReopen={can.manage} onChanged={onChanged} />
  }
  const locked = lockOf(run)
  const moving = phase === 'switchover'
  const cutOver = () =>
    ask({
      action: 'migration.cutOver',
      input: { id },
      title: 'Cut the application over',
      label: 'Cut over',
      effect: (
        <>
          From now on writes to <Mono>{sourceName}</Mono> fail with the reason, until you reopen it. What was
          noted is brought over to <Mono>{placeOf(run.target)}</Mono> and both sides are compared a last time.
          If they differ, nothing is moved and the file takes writes again.
        </>
      ),
      confirmName: sourceName,
      run: async (grantId) => {
        try {
          await client.migration.cutOver.mutate({ id }, { context: { stepUp: grantId } })
        } finally {
          await onChanged()
        }
      },
    })
  return (
    <Section title="Cut-over" note="Of the application that uses this file">
      <Callout
        tone={moving ? 'busy' : locked ? 'off' : 'ok'}
        title={
          moving
            ? 'The last writes are brought over and both sides compared'
            : (locked ?? 'Ready to be cut over')
        }
        actions={
          can.manage ? (
            <Button
              variant="primary"
              disabled={locked !== null || moving}
              title={locked ?? undefined}
              onClick={cutOver}
            >
              Cut over
            </Button>
          ) : null
        }
      >
        {run.capture
          ? 'Writes to the file are noted and brought over until then. Cutting over refuses further ones, and gives you the connection string for the application.'
          : 'Writes to the file were not noted: when there were any since the copy, both sides differ and nothing is moved.'}
      </Callout>
      {dialog}
    </Section>
  )
}

function Done({
  run,
  done,
  canReopen,
  onChanged,
}: {
  run: Run
  done: NonNullable<NonNullable<Run['report']>['cutOver']>
  canReopen: boolean
  onChanged: () => unknown
}) {
  const client = useTRPCClient()
  const [asking, setAsking] = useState(false)
  const textId = useId()
  return (
    <Section
      title="Cut-over"
      actions={canReopen ? <Button onClick={() => setAsking(true)}>Reopen the source</Button> : null}
    >
      <KeyValue
        items={[
          { label: 'The file takes no writes since', value: <Time at={done.at} seconds /> },
          { label: 'Until both sides were the same', value: formatDuration(done.blockedMilliseconds) },
          { label: 'Written since the copy, brought over', value: formatCount(done.keysBroughtOver, 'row') },
          {
            label: 'Connection string',
            value: (
              <span className="flex flex-wrap items-center gap-2">
                <span id={textId}>
                  <Mono>{done.connection}</Mono>
                </span>
                <CopyButton text={done.connection} label="Copy the connection string" textId={textId} />
              </span>
            ),
          },
        ]}
      />
      <h3 className="mt-4 mb-1 font-medium">What to do now</h3>
      <ol className="list-decimal pl-5">
        {done.steps.map((step) => (
          <li key={step} className="py-0.5 wrap-anywhere">
            {step}
          </li>
        ))}
      </ol>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        title="Reopen the source"
        effect={`${run.sourceName} takes writes again. What was written to PostgreSQL meanwhile stays there alone.`}
        confirmName={run.sourceName}
        confirmLabel="Reopen"
        onConfirm={async () => {
          await client.migration.reopenSource.mutate({ id: run.id })
          await onChanged()
        }}
      />
    </Section>
  )
}

function lockOf({ state, validation, report, accepted }: Run): string | null {
  if (validation && !validation.ok) return 'Locked: a check of the validation is red'
  if (report && report.rejected > (accepted?.rejected ?? 0))
    return 'Locked until somebody accepts the rejected rows'
  return state === 'completed' && validation ? null : 'Locked until the copy is complete and validated'
}
