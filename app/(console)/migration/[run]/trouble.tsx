'use client'

import type { Run } from '@/components/migration/types'
import { Callout } from '@/components/ui/callout'
import { formatDuration } from '@/components/ui/format'
import { useNow } from '@/components/ui/now'
import { Mono } from '@/components/ui/text'
import { Time } from '@/components/ui/time'

/** Why the run does not go on, or when it is tried again by itself, and what to do. */
export function Trouble({ run }: { run: Run }) {
  const { error, state } = run
  if (!error) return null
  const waits = error.retryAt !== undefined
  return (
    <div className="mt-4" role="alert">
      <Callout tone={waits || state === 'paused' ? 'warn' : 'bad'} title={error.message}>
        <p>{error.remedy}</p>
        {error.retryAt === undefined ? null : (
          <p>
            <NextTry at={error.retryAt} /> Tried {error.attempts ?? 1} times; nothing that was written is
            lost.
          </p>
        )}
        {error.table ? (
          <p>
            Table <Mono>{error.table}</Mono>
            {error.column ? (
              <>
                , column <Mono>{error.column}</Mono>
              </>
            ) : null}
          </p>
        ) : null}
      </Callout>
    </div>
  )
}

/** Counts down, but is not spoken anew each second. */
function NextTry({ at }: { at: number }) {
  const now = useNow()
  const left = Math.max(0, Math.ceil((at - now) / 1000) * 1000)
  return (
    <span aria-live="off">
      {left > 0 ? (
        <>
          Tried again by itself in {formatDuration(left)}, <Time at={at} seconds />.
        </>
      ) : (
        'Being tried again.'
      )}
    </span>
  )
}
