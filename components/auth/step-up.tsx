'use client'

import { type ReactNode, useState } from 'react'
import { StepUpDialog } from './step-up-dialog'

/** Something that takes a fresh second factor. */
export interface Asked {
  /** The procedure that the grant is for, such as `migration.start`. */
  action: string
  /** Exactly the input that it will get. */
  input: unknown
  /** What goes on once it is proved: the button's label, `Start the migration`. */
  label: string
  /** What that does, in a sentence or two. */
  effect: ReactNode
  /** `Confirm that it is you` by default. */
  title?: string
  /** The name to type before it can be done, for what cannot be taken back. */
  confirmName?: string
  variant?: 'primary' | 'danger'
  /** Does it, with the grant's id. A rejection stays in the dialog; success closes it. */
  run: (grantId: string) => Promise<unknown>
}

/** Asks for a second factor over the page and goes on with what was asked: `ask({…})`, and `dialog` in the page. */
export function useStepUp(): { ask: (asked: Asked) => void; dialog: ReactNode } {
  const [asked, setAsked] = useState<Asked>()
  const dialog = asked ? <StepUpDialog asked={asked} onClose={() => setAsked(undefined)} /> : null
  return { ask: setAsked, dialog }
}
