'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FactorState, useEnrolment } from '@/components/auth/enrolment/use-enrolment'
import { useStepUp } from '@/components/auth/step-up'
import { useTRPC } from '@/components/trpc/trpc'
import { Callout } from '@/components/ui/callout'
import { Dialog } from '@/components/ui/dialog'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Section } from '@/components/ui/text'
import { AuthenticatorApp } from './authenticator-app'
import { BackupCodesLeft } from './backup-codes-left'
import { Passkeys } from './passkeys'

/** What one proves oneself with beside the password. */
export function Factors() {
  const trpc = useTRPC()
  const { data: factors, error, refetch } = useQuery(trpc.account.factors.queryOptions())
  return (
    <Section title="Second factor">
      {factors ? (
        <Shown factors={factors} />
      ) : error ? (
        <ErrorTile error={error} what="Your second factor" onRetry={() => refetch()} />
      ) : (
        <Skeleton className="h-64 w-full" label="Loading your second factor" />
      )}
    </Section>
  )
}

function Shown({ factors }: { factors: FactorState }) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const { ask, dialog } = useStepUp()
  // This session's methods and the others' end change with a factor as well.
  const refresh = () =>
    Promise.all([
      queries.invalidateQueries(trpc.account.pathFilter()),
      queries.invalidateQueries(trpc.auth.me.queryFilter()),
    ])
  const enrolment = useEnrolment({ factors, onEnrolled: refresh })
  const { step } = enrolment
  const count = (factors.totp ? 1 : 0) + factors.passkeys.length
  const keep =
    factors.required && count === 1 ? 'Your role needs a second factor: add another one first' : undefined
  const last = count === 1
  return (
    <div className="flex flex-col gap-6">
      {count === 0 ? (
        <Callout
          tone={factors.required ? 'bad' : 'warn'}
          title={factors.required ? 'Your role needs a second factor' : 'You sign in by the password alone'}
        >
          Set up an authenticator app or a passkey. It is asked for again before anything important changes.
        </Callout>
      ) : null}
      {keep ? <p className="text-muted">{keep}.</p> : null}
      <AuthenticatorApp
        totp={factors.totp}
        keep={keep}
        last={last}
        onSetUp={() => enrolment.begin('totp')}
        ask={ask}
        onChanged={refresh}
      />
      <Passkeys
        passkeys={factors.passkeys}
        keep={keep}
        last={last}
        onAdd={() => enrolment.begin('passkey')}
        ask={ask}
        onChanged={refresh}
      />
      <BackupCodesLeft codes={factors.backupCodes} canMake={count > 0} ask={ask} onChanged={refresh} />
      {step ? (
        <Dialog
          open
          onClose={enrolment.cancel}
          title={step.title}
          dismissable={!step.mustFinish}
          wide={step.mustFinish}
        >
          {step.content}
        </Dialog>
      ) : null}
      {enrolment.dialog}
      {dialog}
    </div>
  )
}
