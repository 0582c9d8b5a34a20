'use client'

import { useQuery } from '@tanstack/react-query'
import { type FactorState, useEnrolment } from '@/components/auth/enrolment/use-enrolment'
import { usePasskeySupport } from '@/components/auth/passkey'
import { useSession } from '@/components/auth/session'
import { SignedInAs } from '@/components/auth/signed-in-as'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'

export function SecondFactor({ next }: { next: string }) {
  const trpc = useTRPC()
  const factors = useQuery(trpc.account.factors.queryOptions())
  return (
    <>
      {factors.data ? (
        <Enrol factors={factors.data} next={next} />
      ) : (
        <>
          <h1 className="mb-6 text-title font-medium">Set up a second factor</h1>
          {factors.error ? (
            <ErrorTile error={factors.error} what="Your factors" onRetry={() => factors.refetch()} />
          ) : (
            <Skeleton className="h-40 w-full" label="Loading your factors" />
          )}
        </>
      )}
      <SignedInAs />
    </>
  )
}

function Enrol({ factors, next }: { factors: FactorState; next: string }) {
  const { session } = useSession()
  const supported = usePasskeySupport()
  // A full load: the console opens with what this session may do from now on.
  const { begin, step, dialog } = useEnrolment({ factors, onFinished: () => location.replace(next) })
  if (step) {
    return (
      <>
        <h1 className="mb-4 text-title font-medium">{step.title}</h1>
        {step.content}
        {dialog}
      </>
    )
  }
  return (
    <>
      <h1 className="text-title font-medium">Set up a second factor</h1>
      <p className="mt-1 mb-6 text-muted">
        Who is {session.role} here signs in with more than a password. It takes a minute, once.
      </p>
      <div className="flex flex-col">
        <div className="flex flex-col gap-2 border-t border-border py-4">
          <p>
            <span className="font-medium">Authenticator app</span>
            <span className="block text-muted">An app on your phone shows a new code every 30 seconds.</span>
          </p>
          <Button variant="primary" onClick={() => begin('totp')} className="w-full">
            Set up an authenticator app
          </Button>
        </div>
        <div className="flex flex-col gap-2 border-y border-border py-4">
          <p>
            <span className="font-medium">Passkey</span>
            <span className="block text-muted">
              {supported
                ? 'Your fingerprint, face, PIN or security key. It also signs you in without the password.'
                : 'This browser withholds passkeys here: they take https, or localhost.'}
            </span>
          </p>
          <Button disabled={!supported} onClick={() => begin('passkey')} className="w-full">
            Add a passkey
          </Button>
        </div>
      </div>
      {dialog}
    </>
  )
}
