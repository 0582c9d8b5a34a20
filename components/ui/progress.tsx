'use client'

import { type ReactNode, useState } from 'react'

export type ProgressProps = {
  label: string
  /** Whether the label is shown, or only spoken. */
  showLabel?: boolean
  /** Done and total in the same unit. Without a total the bar shows no share. */
  value: number
  max: number | undefined
  /** Text at the right: `1,204,000 of 3,000,000 rows · 2–3 min`. */
  detail?: ReactNode
}

/** A determinate bar that never goes back. Give it the run's id as `key`, so that a new run starts at zero. */
export function Progress({ label, showLabel = true, value, max, detail }: ProgressProps) {
  const share = max && max > 0 ? Math.min(Math.max(value / max, 0), 1) : 0
  const [reached, setReached] = useState(share)
  if (share > reached) setReached(share)
  const shown = Math.max(share, reached)
  return (
    <div>
      <div className="mb-1 flex flex-wrap items-baseline justify-between gap-x-4">
        <span className={showLabel ? 'font-medium' : 'sr-only'}>{label}</span>
        <span className="text-muted tabular-nums">{detail}</span>
      </div>
      <progress aria-label={label} className="bar" max={1} value={max === undefined ? undefined : shown}>
        {Math.floor(shown * 100)} %
      </progress>
    </div>
  )
}
