import clsx from 'clsx'

/** A cleat with a line made fast on it: horns, two feet, a base, one turn. */
export function CleatMark({ className }: { className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      className={clsx('size-6 shrink-0', className)}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d="M2 8.5C6.5 6.5 17.5 6.5 22 8.5" strokeWidth="2.25" />
      <path d="M9 7.5v10M15 7.5v10M5.5 18h13" />
      <path d="M3 15.5 21 11" className="text-accent" />
    </svg>
  )
}

/** The drawn name. With `mark`, the cleat stands before it. */
export function Wordmark({ className, mark = true }: { className?: string; mark?: boolean }) {
  return (
    <span className={clsx('inline-flex items-center gap-2 text-text', className)}>
      {mark ? <CleatMark /> : null}
      <span className="text-lead font-semibold tracking-tight">Holdfast</span>
    </span>
  )
}
