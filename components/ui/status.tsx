import clsx from 'clsx'
import type { ReactNode } from 'react'

export type StatusKind = 'ok' | 'warn' | 'bad' | 'off' | 'busy'

const INK: Record<StatusKind, string> = {
  ok: 'text-ok',
  warn: 'text-warn',
  bad: 'text-bad',
  off: 'text-muted',
  busy: 'text-accent',
}

/** The shape of a status: disc, triangle, square, empty ring, half disc. Told apart without colour. */
export function StatusMark({ kind, className }: { kind: StatusKind; className?: string }) {
  return (
    <svg viewBox="0 0 10 10" className={clsx('size-2.5 shrink-0', INK[kind], className)} aria-hidden="true">
      {kind === 'ok' ? <circle cx="5" cy="5" r="4.25" fill="currentColor" /> : null}
      {kind === 'warn' ? <path d="M5 .75 9.75 9.25H.25z" fill="currentColor" /> : null}
      {kind === 'bad' ? <path d="M1 1h8v8H1z" fill="currentColor" /> : null}
      {kind === 'off' ? (
        <circle cx="5" cy="5" r="3.75" fill="none" stroke="currentColor" strokeWidth="1.5" />
      ) : null}
      {kind === 'busy' ? (
        <>
          <circle cx="5" cy="5" r="3.75" fill="none" stroke="currentColor" strokeWidth="1.5" />
          <path d="M5 1.25a3.75 3.75 0 0 1 0 7.5z" fill="currentColor" />
        </>
      ) : null}
    </svg>
  )
}

/** Shape, word and colour. The word is required: `Reachable`, `Lagging 12 s`, `Not configured`. */
export function Status({ kind, children, title }: { kind: StatusKind; children: ReactNode; title?: string }) {
  return (
    <span
      className={clsx('inline-flex items-center gap-1.5 whitespace-nowrap font-medium', INK[kind])}
      title={title}
    >
      <StatusMark kind={kind} />
      {children}
    </span>
  )
}
