'use client'

import { useState } from 'react'
import { authClient } from '@/components/auth/client'
import { localTimes, shareTimes } from '@/components/auth/refresh'
import { type FactorAsked, SecondStep } from '@/components/auth/second-step'
import type { RouterOutputs } from '@/server/routers/_app'
import { CheckFailed, Checking, forgetToken, Remark, SignInLink, useLinkToken } from '../_parts/link-token'
import { GivePassword } from './give-password'

async function check(token: string) {
  const [{ passwordLength }, found] = await Promise.all([
    authClient.auth.setUpState.query(),
    authClient.auth.checkLink.mutate({ token }),
  ])
  return { found, least: passwordLength.least }
}

/** What stands behind a one-time link: name and password of an invited user, or a new password. */
export function OneTimeLink() {
  const { link, recheck } = useLinkToken(check)
  const [usedToken, setUsedToken] = useState<string>()
  const [second, setSecond] = useState<{ email: string; asked: FactorAsked }>()

  const done = ({ session, now }: Pick<RouterOutputs['auth']['verify'], 'session' | 'now'>) => {
    shareTimes(localTimes(session, now))
    // A full load: nothing of whoever was signed in before stays in memory.
    location.replace('/')
  }
  if (second) {
    return (
      <>
        <h1 className="mb-6 text-title font-medium">The password is set</h1>
        <SecondStep {...second} onDone={done} onRestart={() => location.replace('/sign-in')} />
      </>
    )
  }
  if (link.kind === 'checking') return <Checking />
  if (link.kind === 'failed') return <CheckFailed error={link.error} onRetry={recheck} />
  if (link.kind === 'missing') {
    return (
      <Remark title="Open the whole link" action={<SignInLink />}>
        You got it from an admin. The part behind # is the key, and it is missing here.
      </Remark>
    )
  }
  const { token } = link
  const { found, least } = link.facts
  if (found.state === 'used' || usedToken === token) {
    return (
      <Remark title="This link was used" action={<SignInLink />}>
        It works once. Sign in with the password that was given by it; if that was not you, tell an admin at
        once.
      </Remark>
    )
  }
  if (found.state !== 'usable') {
    return (
      <Remark title="This link does not work" action={<SignInLink />}>
        It is too old, a newer one took its place, or it was not copied whole. Ask an admin for a new one.
      </Remark>
    )
  }
  return (
    <GivePassword
      key={token}
      token={token}
      link={found}
      least={least}
      onUsed={() => setUsedToken(token)}
      onAnswer={(answer) => {
        if (answer.state === 'signed-in') return done(answer)
        forgetToken()
        setSecond({ email: found.email, asked: answer })
      }}
    />
  )
}
