'use client'

import { type ReactNode, useState } from 'react'
import { BackupCodes } from '@/components/auth/backup-codes'
import { codeOf, needsPassword } from '@/components/auth/client'
import { useSession } from '@/components/auth/session'
import { useStepUp } from '@/components/auth/step-up'
import { useTRPCClient } from '@/components/trpc/trpc'
import type { RouterOutputs } from '@/server/routers/_app'
import { BeginStep } from './begin-step'
import { Done, EnrolledNote } from './done'
import { PasskeyStep } from './passkey-step'
import { TotpStep } from './totp-step'

export type FactorState = RouterOutputs['account']['factors']
export type Enrolled = RouterOutputs['account']['activateTotp']
type Kind = 'totp' | 'passkey'

type Stage =
  | { at: 'begin'; kind: Kind; askPassword: boolean; failure?: { error: unknown } }
  | ({ at: 'totp' } & RouterOutputs['account']['beginTotp'])
  | ({ at: 'passkey' } & RouterOutputs['account']['beginPasskey'])
  | { at: 'enrolled'; kind: Kind; enrolled: Enrolled }

const words = {
  totp: { title: 'Set up an authenticator app', ask: 'An authenticator app is set up for your account.' },
  passkey: { title: 'Add a passkey', ask: 'A passkey is added to your account.' },
}

export interface Enrolment {
  /** Starts: with a step-up where there is a factor already, with the password where the sign-in is long ago. */
  begin: (kind: Kind) => void
  /** What is to be shown now; null while nothing goes on. `mustFinish` while leaving would lose something. */
  step: { title: string; content: ReactNode; mustFinish: boolean } | null
  cancel: () => void
  /** The step-up's dialog, to be put into the page. */
  dialog: ReactNode
}

/** Enrols an authenticator app or a passkey, step by step; where it is shown is the page's own matter. */
export function useEnrolment({
  factors,
  onEnrolled,
  onFinished,
}: {
  factors: Pick<FactorState, 'totp' | 'passkeys' | 'passwordNeeded'>
  /** The factor works from now on. */
  onEnrolled?: () => unknown
  /** Everything was seen, the backup codes included. */
  onFinished?: () => unknown
}): Enrolment {
  const client = useTRPCClient()
  const { session } = useSession()
  const { ask, dialog } = useStepUp()
  const [stage, setStage] = useState<Stage>()
  const cancel = () => setStage(undefined)
  const finish = () => {
    setStage(undefined)
    onFinished?.()
  }

  async function start(kind: Kind, input: { password?: string }, stepUp?: string) {
    const options = stepUp ? { context: { stepUp } } : undefined
    setStage(
      kind === 'totp'
        ? { at: 'totp', ...(await client.account.beginTotp.mutate(input, options)) }
        : { at: 'passkey', ...(await client.account.beginPasskey.mutate(input, options)) },
    )
  }
  function confirm(kind: Kind) {
    setStage(undefined)
    ask({
      action: kind === 'totp' ? 'account.beginTotp' : 'account.beginPasskey',
      input: {},
      label: 'Go on',
      effect: words[kind].ask,
      run: (grantId) => start(kind, {}, grantId),
    })
  }
  async function begin(kind: Kind) {
    if (factors.totp || factors.passkeys.length > 0) return confirm(kind)
    const askPassword = factors.passwordNeeded
    setStage({ at: 'begin', kind, askPassword })
    if (askPassword) return
    try {
      await start(kind, {})
    } catch (error) {
      if (codeOf(error) === 'STEP_UP_REQUIRED') confirm(kind)
      else setStage({ at: 'begin', kind, askPassword: needsPassword(error), failure: { error } })
    }
  }
  async function enrol(kind: Kind, work: Promise<Enrolled>) {
    const enrolled = await work
    setStage({ at: 'enrolled', kind, enrolled })
    await onEnrolled?.()
  }

  return { begin: (kind) => void begin(kind), step: stage ? shown(stage) : null, cancel, dialog }

  function shown(now: Stage) {
    switch (now.at) {
      case 'begin':
        return {
          title: words[now.kind].title,
          mustFinish: false,
          content: (
            <BeginStep
              email={session.email}
              askPassword={now.askPassword}
              failure={now.failure}
              onBegin={(password) => start(now.kind, password === undefined ? {} : { password })}
              onCancel={cancel}
            />
          ),
        }
      case 'totp':
        return {
          title: words.totp.title,
          mustFinish: false,
          content: (
            <TotpStep
              secret={now.secret}
              uri={now.uri}
              onCode={(code) =>
                enrol('totp', client.account.activateTotp.mutate({ factorId: now.factorId, code }))
              }
              onCancel={cancel}
            />
          ),
        }
      case 'passkey':
        return {
          title: words.passkey.title,
          mustFinish: false,
          content: (
            <PasskeyStep
              plan={now.options}
              onMade={(passkey) => enrol('passkey', client.account.addPasskey.mutate(passkey))}
              onCancel={cancel}
            />
          ),
        }
      case 'enrolled': {
        const { kind, enrolled } = now
        const note = <EnrolledNote kind={kind} enrolled={enrolled} />
        if (!enrolled.backupCodes) {
          return {
            title: kind === 'totp' ? 'Your app is set up' : 'Your passkey is added',
            mustFinish: false,
            content: <Done note={note} onDone={finish} />,
          }
        }
        return {
          title: 'Save your backup codes',
          mustFinish: true,
          content: (
            <BackupCodes codes={enrolled.backupCodes} email={session.email} note={note} onSaved={finish} />
          ),
        }
      }
    }
  }
}
