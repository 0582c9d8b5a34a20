import clsx from 'clsx'

/** The cleat with a made-fast line: a bar on two feet, crossed by a figure of eight. */
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
      <path d="M2 10.5C5 8 8.5 7.5 12 7.5s7 .5 10 3" />
      <path d="M9 8v8.5M15 8v8.5M6.5 16.5h11" />
      <path d="M6 12.5 18 5.5M6 5.5l12 7" className="text-accent" />
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
