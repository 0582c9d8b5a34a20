import clsx from 'clsx'
import { MISSING, NONE, type Reading } from './format'

/** A figure in a table or list: what the source does not have, and what was not read, stand back. */
export function Figure({ value, format }: { value: Reading; format: (value: Reading) => string }) {
  const written = format(value)
  const absent = written === NONE || written === MISSING
  return <span className={clsx(absent && 'text-muted')}>{written}</span>
}

/** A part of a whole as a quiet bar; the figure beside it says the same in words. */
export function ShareBar({ share, className }: { share: number; className?: string }) {
  return (
    <svg
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      className={clsx('h-1 shrink-0', className)}
      aria-hidden="true"
    >
      <rect width="100" height="4" className="fill-border" />
      <rect width={Math.min(Math.max(share, 0), 1) * 100} height="4" className="fill-accent" />
    </svg>
  )
}
