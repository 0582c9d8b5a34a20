'use client'

import { useSession } from '@/components/auth/session'
import { Button } from '@/components/ui/button'
import { PageHeader } from '@/components/ui/text'
import { Factors } from './factors'
import { Password } from './password'
import { Sessions } from './sessions'
import { You } from './you'

export function Account() {
  const { signOut } = useSession()
  return (
    <>
      <PageHeader
        title="Account"
        lead="Who you are here, how you prove it, and where you are signed in."
        actions={<Button onClick={signOut}>Sign out</Button>}
      />
      <You />
      <div id="password">
        <Password />
      </div>
      <div id="factors">
        <Factors />
      </div>
      <div id="sessions">
        <Sessions />
      </div>
    </>
  )
}
