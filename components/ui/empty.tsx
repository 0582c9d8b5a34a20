import type { ReactNode } from 'react'

export type EmptyKind = 'no-data' | 'no-match' | 'not-enabled' | 'no-permission'

const MARKS: Record<EmptyKind, ReactNode> = {
  'no-data': <path d="M3 6h18M3 12h18M3 18h18" strokeDasharray="1 3" />,
  'no-match': <path d="M10 4a6 6 0 1 1 0 12 6 6 0 0 1 0-12zm4.5 10.5L20 20M8 10h4" />,
  'not-enabled': (
    <path d="M8 7h8a5 5 0 0 1 0 10H8A5 5 0 0 1 8 7zm0 2.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z" />
  ),
  'no-permission': <path d="M5 11h14v9H5zM8 11V8a4 4 0 0 1 8 0v3" />,
}

export type EmptyProps = {
  /** Why nothing is here. */
  kind: EmptyKind
  title: string
  children?: ReactNode
  /** A way out: clear the filter, enable it, ask whom. */
  action?: ReactNode
}

/** Says why a place is empty: no data, no match, not enabled, no permission. */
export function Empty({ kind, title, children, action }: EmptyProps) {
  return (
    <div className="flex items-start gap-4 px-4 py-6">
      <svg
        viewBox="0 0 24 24"
        className="size-6 shrink-0 text-muted"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        {MARKS[kind]}
      </svg>
      <div className="max-w-prose">
        <p className="font-medium">{title}</p>
        {children ? <div className="text-muted">{children}</div> : null}
        {action ? <div className="mt-3">{action}</div> : null}
      </div>
    </div>
  )
}
