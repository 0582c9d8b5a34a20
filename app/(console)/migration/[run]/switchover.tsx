'use client'

import { useQueryClient } from '@tanstack/react-query'
import { useStepUp } from '@/components/auth/step-up'
import type { Run } from '@/components/migration/types'
import { placeOf } from '@/components/migration/words'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { Mono, Section } from '@/components/ui/text'
import type { RunPartProps } from './actions'
import { Switched } from './switched'

/** Moves the running console to PostgreSQL. Locked until both sides are proved to be the same. */
export function SwitchoverSection({ run, can, onChanged }: RunPartProps) {
  const client = useTRPCClient()
  const queries = useQueryClient()
  const { ask, dialog } = useStepUp()
  const { id } = run
  const place = placeOf(run.target)
  const done = run.report?.switchover
  if (done && (run.state === 'switched_over' || run.state === 'switched_back'))
    return <Switched run={run} can={can} onChanged={onChanged} done={done} />
  const locked = lockOf(run)
  const switchOver = () =>
    ask({
      action: 'migration.switchOver',
      input: { id },
      title: 'Switch over to PostgreSQL',
      label: 'Switch over',
      effect: (
        <>
          From now on the console lives in <Mono>{place}</Mono>, also after a restart. Starting on the SQLite
          file is refused from then on.
        </>
      ),
      confirmName: run.target.database,
      run: async (grantId) => {
        try {
          await client.migration.switchOver.mutate({ id }, { context: { stepUp: grantId } })
        } finally {
          await onChanged()
        }
        // The strip names the store, and every page reads from the new one.
        await queries.invalidateQueries()
      },
    })
  return (
    <Section title="Switchover">
      <Callout
        tone={run.phase === 'switchover' ? 'busy' : locked ? 'off' : 'ok'}
        title={
          run.phase === 'switchover' ? 'The console is moving' : (locked ?? 'Ready: both sides are the same')
        }
        actions={
          can.manage ? (
            <Button
              variant="primary"
              disabled={locked !== null || run.phase === 'switchover'}
              title={locked ?? undefined}
              onClick={switchOver}
            >
              Switch over
            </Button>
          ) : null
        }
      >
        What was written since the copy is brought over, writes are held for a moment, both sides are checked
        a last time, and the running console stands on PostgreSQL, without a restart. The SQLite file is kept
        read-only and marked retired.
      </Callout>
      {dialog}
    </Section>
  )
}

function lockOf({ state, validation, report, accepted }: Run): string | null {
  if (validation && !validation.ok) return 'Locked: a check of the validation is red'
  if (report && report.rejected > (accepted?.rejected ?? 0))
    return 'Locked until somebody accepts the rejected rows'
  return state === 'completed' && validation ? null : 'Locked until the copy is complete and validated'
}
