'use client'

import { useEffect, useState } from 'react'
import { authClient } from '@/components/auth/client'
import { refreshSession } from '@/components/auth/refresh'
import { SignInForm } from '@/components/auth/sign-in-form'
import { Callout } from '@/components/ui/callout'
import { Spinner } from '@/components/ui/icons'

/** A full load: nothing of the page before, or of another user, stays in memory. */
const go = (next: string) => location.replace(next)

export function SignIn({ next, resumable }: { next: string; resumable: boolean }) {
  const [resuming, setResuming] = useState(resumable)
  const [waiting, setWaiting] = useState(false)

  useEffect(() => {
    if (!resumable) return
    refreshSession({ force: true }).then((result) => {
      if (result.state === 'fresh') go(next)
      else setResuming(false)
    })
  }, [resumable, next])

  useEffect(() => {
    authClient.auth.setUpState.query().then(
      ({ needed }) => setWaiting(needed),
      () => {},
    )
  }, [])

  if (resuming) {
    return (
      <p role="status" className="flex items-center gap-2 text-muted">
        <Spinner />
        Going on with your session…
      </p>
    )
  }
  return (
    <>
      <h1 className="mb-6 text-title font-medium">Sign in</h1>
      {waiting ? (
        <div className="mb-6">
          <Callout tone="warn" title="This console has no admin yet">
            Open the set-up link that Holdfast printed when it started. A restart prints a new one.
          </Callout>
        </div>
      ) : null}
      <SignInForm onDone={() => go(next)} />
    </>
  )
}
