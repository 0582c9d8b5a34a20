import type { ReactNode } from 'react'
import type { Asked } from '@/components/auth/step-up'

/** What every kind of factor on the page gets. */
export interface FactorProps {
  /** Asks for a fresh factor, then does it. */
  ask: (asked: Asked) => void
  onChanged: () => Promise<unknown>
}

/** What removing a factor depends on. */
export interface Removable {
  /** Why it can't be removed; absent where it can. */
  keep: string | undefined
  /** It is the only one: the backup codes go with it. */
  last: boolean
}

export const lastEffect =
  'It is your only one: you then sign in by the password alone, and your backup codes go.'

/** One kind of second factor: its name, what there is of it, what can be done. */
export function Factor({
  title,
  actions,
  children,
}: {
  title: string
  actions?: ReactNode
  children: ReactNode
}) {
  return (
    <div>
      <div className="mb-1 flex min-h-8 flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <h3 className="font-medium">{title}</h3>
        {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
      </div>
      {children}
    </div>
  )
}
