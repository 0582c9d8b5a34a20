'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button'
import { ErrorText } from '@/components/ui/error-text'
import type { RouterOutputs } from '@/server/routers/_app'
import { authClient, codeOf } from './client'
import { FactorForm, type Proof } from './factor-form'
import { PasswordStep } from './password-step'
import { localTimes, shareTimes } from './refresh'

type SignedIn = Extract<RouterOutputs['auth']['signIn'], { state: 'signed-in' }>
type Asked = Extract<RouterOutputs['auth']['signIn'], { state: 'factor' }>

/** Who is signed in now, and what is to be done first. */
export type NewSession = SignedIn['session']

type Step = { at: 'password' } | { at: 'factor'; asked: Asked } | { at: 'over'; error: unknown }

/**
 * Signs in: a passkey alone, or the password and then, where the account has one, the second factor. `onDone`
 * hears who it was. Errors stay until the next try, and so does what was typed.
 */
export function SignInForm({ email, onDone }: { email?: string; onDone: (session: NewSession) => void }) {
  const [typed, setTyped] = useState(email ?? '')
  const [step, setStep] = useState<Step>({ at: 'password' })

  const done = ({ session, now }: Pick<SignedIn, 'session' | 'now'>) => {
    shareTimes(localTimes(session, now))
    onDone(session)
  }
  const prove = async ({ challenge }: Asked, proof: Proof) => {
    try {
      done(await authClient.auth.verify.mutate({ challenge, ...proof }))
    } catch (error) {
      if (codeOf(error) !== 'CHALLENGE_OVER') throw error
      setStep({ at: 'over', error })
    }
  }
  const startOver = () => setStep({ at: 'password' })

  switch (step.at) {
    case 'password':
      return (
        <PasswordStep
          email={typed}
          onEmail={setTyped}
          fixed={email !== undefined}
          onAnswer={(answer) =>
            answer.state === 'factor' ? setStep({ at: 'factor', asked: answer }) : done(answer)
          }
          onSignedIn={done}
        />
      )
    case 'factor':
      return (
        <div className="flex flex-col gap-4">
          <div>
            <h2 className="text-lead font-medium">Second factor</h2>
            <p className="text-muted">
              The password is right. Prove that you are{' '}
              <span className="text-text wrap-anywhere">{typed}</span>.
            </p>
          </div>
          <FactorForm
            factors={step.asked.factors}
            passkey={step.asked.passkey}
            label="Sign in"
            passkeyLabel="Use a passkey"
            onProof={(proof) => prove(step.asked, proof)}
          />
          <div className="border-t border-border pt-3">
            <Button variant="plain" onClick={startOver}>
              Start over
            </Button>
          </div>
        </div>
      )
    case 'over':
      return (
        <div className="flex flex-col gap-4">
          <div role="alert" className="border-l-2 border-bad pl-3 text-bad">
            <ErrorText error={step.error} />
          </div>
          <Button variant="primary" className="w-full" onClick={startOver}>
            Start over
          </Button>
        </div>
      )
  }
}
