'use client'

import clsx from 'clsx'
import type { ReactNode } from 'react'
import { useUrlState } from '@/components/ui/url-state'
import { type EventsFilter, writeFilter } from './filter'

/** A value that filters by itself when it is pressed. In rows it is no stop for the keyboard: the drawer has the same. */
export function FilterValue({
  by,
  says,
  children,
  inRow = false,
  mono = false,
}: {
  by: EventsFilter
  /** What it does, spoken and as its title: `Only ana@example.org`. */
  says: string
  children: ReactNode
  inRow?: boolean
  mono?: boolean
}) {
  const { change } = useUrlState()
  return (
    <button
      type="button"
      title={says}
      aria-label={inRow ? undefined : says}
      tabIndex={inRow ? -1 : undefined}
      className={clsx(
        'min-h-6 max-w-full text-left decoration-border underline-offset-4 hover:underline',
        inRow ? 'truncate align-middle' : 'underline wrap-anywhere hover:decoration-current',
        mono && 'font-mono text-[0.95em]',
      )}
      onClick={(event) => {
        event.stopPropagation()
        change({ ...writeFilter(by), event: null })
      }}
    >
      {children}
    </button>
  )
}
