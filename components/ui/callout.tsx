import clsx from 'clsx'
import type { ReactNode } from 'react'
import { StatusMark } from './status'

export type CalloutTone = 'ok' | 'warn' | 'bad' | 'off' | 'busy'

const EDGE: Record<CalloutTone, string> = {
  ok: 'border-l-ok',
  warn: 'border-l-warn',
  bad: 'border-l-bad',
  off: 'border-l-control',
  busy: 'border-l-accent',
}

/** A remark beside the matter: a rule in its colour, a shape, a title, what to do. */
export function Callout({
  tone,
  title,
  children,
  actions,
}: {
  tone: CalloutTone
  title: ReactNode
  children?: ReactNode
  actions?: ReactNode
}) {
  return (
    <div
      className={clsx(
        'flex flex-wrap items-start gap-x-4 gap-y-2 border-y border-r border-l-2 border-border bg-surface px-4 py-3',
        EDGE[tone],
      )}
    >
      <div className="flex min-w-0 flex-1 basis-64 gap-2">
        <StatusMark kind={tone} className="mt-[5px]" />
        <div className="min-w-0">
          <p className="font-medium">{title}</p>
          {children ? <div className="text-muted">{children}</div> : null}
        </div>
      </div>
      {actions ? <div className="flex flex-wrap gap-2">{actions}</div> : null}
    </div>
  )
}

/** One line across the page, under the strip: lost connection, plain http, session about to end. Announced politely. */
export function Banner({
  tone,
  children,
  actions,
}: {
  tone: 'warn' | 'bad'
  children: ReactNode
  actions?: ReactNode
}) {
  return (
    <div
      role="status"
      className="flex min-h-10 flex-wrap items-center gap-x-4 gap-y-1 border-b border-border bg-wash px-4 py-1 lg:px-6"
    >
      <span className="flex items-center gap-2">
        <StatusMark kind={tone} />
        <span>{children}</span>
      </span>
      {actions}
    </div>
  )
}
