'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button'
import { ErrorText } from '@/components/ui/error-text'
import type { RouterOutputs } from '@/server/routers/_app'
import { authClient, codeOf } from './client'
import { FactorForm, type Proof } from './factor-form'

/** A sign-in whose password was right and that waits for its second factor. */
export type FactorAsked = Extract<RouterOutputs['auth']['signIn'], { state: 'factor' }>

export interface SecondStepProps {
  /** Whose sign-in it is. */
  email: string
  asked: FactorAsked
  onDone: (answer: RouterOutputs['auth']['verify']) => void
  /** Leaves it, or goes on after the time for it was over. */
  onRestart: () => void
}

/** The second step of a sign-in. Once its time or its tries are over, only starting over is left. */
export function SecondStep({ email, asked, onDone, onRestart }: SecondStepProps) {
  const [over, setOver] = useState<{ error: unknown }>()
  const prove = async (proof: Proof) => {
    try {
      onDone(await authClient.auth.verify.mutate({ challenge: asked.challenge, ...proof }))
    } catch (error) {
      if (codeOf(error) !== 'CHALLENGE_OVER') throw error
      setOver({ error })
    }
  }
  if (over) {
    return (
      <div className="flex flex-col gap-4">
        <div role="alert" className="border-l-2 border-bad pl-3 text-bad">
          <ErrorText error={over.error} />
        </div>
        <Button variant="primary" className="w-full" onClick={onRestart}>
          Start over
        </Button>
      </div>
    )
  }
  return (
    <div className="flex flex-col gap-4">
      <div>
        <h2 className="text-lead font-medium">Second factor</h2>
        <p className="text-muted">
          The password is right. Prove that you are <span className="text-text wrap-anywhere">{email}</span>.
        </p>
      </div>
      <FactorForm
        factors={asked.factors}
        passkey={asked.passkey}
        label="Sign in"
        passkeyLabel="Use a passkey"
        onProof={prove}
      />
      <div className="border-t border-border pt-3">
        <Button variant="plain" onClick={onRestart}>
          Start over
        </Button>
      </div>
    </div>
  )
}
