'use client'

import { useState } from 'react'
import type { RouterOutputs } from '@/server/routers/_app'
import { PasswordStep } from './password-step'
import { localTimes, shareTimes } from './refresh'
import { type FactorAsked, SecondStep } from './second-step'

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
    return <SecondStep email={typed} asked={asked} onDone={done} onRestart={() => setAsked(undefined)} />
  }
  return (
    <PasswordStep
      email={typed}
      onEmail={setTyped}
      fixed={email !== undefined}
      onAnswer={(answer) => (answer.state === 'factor' ? setAsked(answer) : done(answer))}
      onSignedIn={done}
    />
  )
}
