'use client'

import { useQueryClient } from '@tanstack/react-query'
import { useStepUp } from '@/components/auth/step-up'
import type { Run } from '@/components/migration/types'
import { placeOf } from '@/components/migration/words'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { formatCount, formatDuration } from '@/components/ui/format'
import { useNow } from '@/components/ui/now'
import { KeyValue, Mono, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import type { RunPartProps } from './actions'

type Switchover = NonNullable<NonNullable<Run['report']>['switchover']>

/** How the console moved, and the way back while it is open. */
export function Switched({ run, can, onChanged, done }: RunPartProps & { done: Switchover }) {
  const back = run.report?.switchBack
  return (
    <Section title="Switchover">
      <KeyValue
        items={[
          {
            label: back ? 'The console was on' : 'The console is on',
            value: <Mono>PostgreSQL {placeOf(run.target)}</Mono>,
          },
          { label: 'Since', value: <Time at={done.at} seconds /> },
          { label: 'Writes waited', value: formatDuration(done.pauseMilliseconds) },
          {
            label: 'Written since the copy, brought over',
            value: formatCount(done.rowsBroughtOver, 'row'),
          },
          ...(back
            ? [
                { label: 'Back on SQLite since', value: <Time at={back.at} seconds /> },
                { label: 'Writes waited on the way back', value: formatDuration(back.pauseMilliseconds) },
                { label: 'Brought back', value: formatCount(back.rowsBroughtOver, 'row') },
              ]
            : [
                {
                  label: 'Old store',
                  value: (
                    <>
                      <Mono>{done.retiredFile}</Mono>, kept read-only; starting on it is refused
                    </>
                  ),
                },
              ]),
        ]}
      />
      {back || done.switchBackUntil === null ? null : (
        <WayBack
          run={run}
          can={can}
          onChanged={onChanged}
          file={done.retiredFile}
          until={done.switchBackUntil}
        />
      )}
    </Section>
  )
}

function WayBack({ run, can, onChanged, file, until }: RunPartProps & { file: string; until: number }) {
  const client = useTRPCClient()
  const queries = useQueryClient()
  const { ask, dialog } = useStepUp()
  const now = useNow()
  const { id, phase } = run
  const moving = phase === 'switch_back'
  const over = now >= until
  const switchBack = () =>
    ask({
      action: 'migration.switchBack',
      input: { id },
      title: 'Switch back to SQLite',
      label: 'Switch back',
      effect: (
        <>
          Every change since the switchover is brought back into <Mono>{file}</Mono>, writes are held for a
          moment, and the console lives there again, also after a restart. PostgreSQL keeps its tables, which
          take no writes from then on.
        </>
      ),
      confirmName: run.target.database,
      run: async (grantId) => {
        try {
          await client.migration.switchBack.mutate({ id }, { context: { stepUp: grantId } })
        } finally {
          await onChanged()
        }
        await queries.invalidateQueries()
      },
    })
  return (
    <div className="mt-4">
      <Callout
        tone={moving ? 'busy' : 'off'}
        title={
          moving ? (
            'The console is moving back'
          ) : over ? (
            'The way back is closed'
          ) : (
            <>
              The way back is open until <Time at={until} />, for {formatDuration(until - now)}
            </>
          )
        }
        actions={
          can.manage && !over ? (
            <Button disabled={moving} onClick={switchBack}>
              Switch back
            </Button>
          ) : null
        }
      >
        {over
          ? 'Changes since the switchover are no longer noted for the SQLite file.'
          : 'Every change is noted meanwhile, so that nothing is lost on the way. Another console that serves this store must be stopped first.'}
      </Callout>
      {dialog}
    </div>
  )
}
