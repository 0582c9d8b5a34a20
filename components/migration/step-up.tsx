'use client'

import { type ReactNode, useState } from 'react'
import { useSession } from '@/components/auth/session'
import { useTRPCClient } from '@/components/trpc/trpc'
import { StepUpDialog } from '@/components/ui/step-up-dialog'

export interface Asked {
  /** The procedure that the grant is for, and exactly the input it will get. */
  action: 'migration.start' | 'migration.switchOver'
  input: { id: string }
  /** The button's label. */
  label: string
  effect: ReactNode
  /** Does it, with the grant's id. */
  run: (grantId: string) => Promise<unknown>
}

/** Asks for the password over the page and goes on with what was asked: `ask({…})`, and `dialog` in the page. */
export function useStepUp(): { ask: (asked: Asked) => void; dialog: ReactNode } {
  const client = useTRPCClient()
  const { session } = useSession()
  const [asked, setAsked] = useState<Asked>()
  const dialog = asked ? (
    <StepUpDialog
      open
      onClose={() => setAsked(undefined)}
      action={asked.label}
      effect={asked.effect}
      account={session.email}
      onSubmit={async (password) => {
        const { action, input } = asked
        const { grantId } = await client.auth.stepUp.mutate({ action, input, password })
        await asked.run(grantId)
      }}
    />
  ) : null
  return { ask: setAsked, dialog }
}
