'use client'

import { Button } from '@/components/ui/button'
import { useSession } from './session'

/** The foot of a page on the way into the console: who it is, and the way out. */
export function SignedInAs() {
  const { session, signOut } = useSession()
  return (
    <div className="mt-8 flex flex-wrap items-center justify-between gap-2 border-t border-border pt-3 text-muted">
      <span className="min-w-0 wrap-anywhere">Signed in as {session.email}</span>
      <Button size="small" onClick={signOut}>
        Sign out
      </Button>
    </div>
  )
}
