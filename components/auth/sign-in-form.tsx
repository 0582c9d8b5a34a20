'use client'

import { lazy, Suspense, useState } from 'react'
import { Skeleton } from '@/components/ui/skeleton'
import type { RouterOutputs } from '@/server/routers/_app'
import { PasswordStep } from './password-step'
import { localTimes, shareTimes } from './refresh'
import type { FactorAsked } from './second-step'

/** Comes with the password's answer: the page that asks for the password stays small. */
const loadSecondStep = () => import('./second-step')
const SecondStep = lazy(() => loadSecondStep().then((module) => ({ default: module.SecondStep })))

type SignedIn = Extract<RouterOutputs['auth']['signIn'], { state: 'signed-in' }>

/** Who is signed in now, and what is to be done first. */
export type NewSession = SignedIn['session']

/**
 * Signs in: a passkey alone, or the password and then, where the account has one, the second factor. `onDone`
 * hears who it was. Errors stay until the next try, and so does what was typed.
 */
export function SignInForm({ email, onDone }: { email?: string; onDone: (session: NewSession) => void }) {
  const [typed, setTyped] = useState(email ?? '')
  const [asked, setAsked] = useState<FactorAsked>()

  const done = ({ session, now }: Pick<SignedIn, 'session' | 'now'>) => {
    shareTimes(localTimes(session, now))
    onDone(session)
  }
  if (asked) {
    return (
      <Suspense fallback={<Skeleton className="h-32 w-full" label="Loading the second factor" />}>
        <SecondStep email={typed} asked={asked} onDone={done} onRestart={() => setAsked(undefined)} />
      </Suspense>
    )
  }
  return (
    <PasswordStep
      email={typed}
      onEmail={setTyped}
      fixed={email !== undefined}
      onSend={() => void loadSecondStep().catch(() => {})}
      onAnswer={(answer) => (answer.state === 'factor' ? setAsked(answer) : done(answer))}
      onSignedIn={done}
    />
  )
}
