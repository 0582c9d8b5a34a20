'use client'

import { type ReactNode, useEffect, useRef } from 'react'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { formatCount, formatDuration } from '@/components/ui/format'
import type { RouterOutputs } from '@/server/routers/_app'

/** What came of an enrolment: that it works, how far off the clock is, what ended for it. */
export function EnrolledNote({
  kind,
  enrolled: { drift, ended },
}: {
  kind: 'totp' | 'passkey'
  enrolled: RouterOutputs['account']['activateTotp']
}) {
  // One step is no fault of a clock: it is the time that typing takes.
  const off = Math.abs(drift) > 30
  const facts = [
    !off
      ? null
      : `Your device’s clock is about ${formatDuration(Math.abs(drift) * 1000)} ${drift < 0 ? 'behind' : 'ahead'}: set it, or codes may be refused one day.`,
    ended === 0
      ? null
      : `${formatCount(ended, 'other session')} of yours, signed in without a second factor, ended.`,
  ]
  return (
    <Callout
      tone={off ? 'warn' : 'ok'}
      title={
        kind === 'totp'
          ? 'Your authenticator app is asked for from now on.'
          : 'Your passkey signs you in from now on.'
      }
    >
      {facts.filter(Boolean).join(' ') || null}
    </Callout>
  )
}

/** The end of an enrolment that brought no backup codes. */
export function Done({ note, onDone }: { note: ReactNode; onDone: () => unknown }) {
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => button.current?.focus(), [])
  return (
    <div className="flex flex-col gap-4">
      {note}
      <div className="flex justify-end">
        <Button ref={button} variant="primary" onClick={onDone}>
          Finish
        </Button>
      </div>
    </div>
  )
}
