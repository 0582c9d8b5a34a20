import clsx from 'clsx'
import type { ReactNode } from 'react'

/** Identifiers, addresses, hashes: monospaced, breaking anywhere. */
export function Mono({ children, className }: { children: ReactNode; className?: string }) {
  return <span className={clsx('font-mono text-[0.95em] wrap-anywhere', className)}>{children}</span>
}

/** SQL, commands, logs. Scrolls sideways; reachable by keyboard. */
export function CodeBlock({
  children,
  label,
  wrap = false,
}: {
  children: string
  label: string
  wrap?: boolean
}) {
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className="overflow-x-auto border-y border-border bg-wash"
    >
      <pre className={clsx('px-3 py-2 font-mono text-note', wrap && 'whitespace-pre-wrap wrap-anywhere')}>
        <code>{children}</code>
      </pre>
    </section>
  )
}

/** A key as it is printed on the keyboard. */
export function Key({ children }: { children: ReactNode }) {
  return (
    <kbd className="rounded-control border border-control px-1 font-sans text-note text-muted">
      {children}
    </kbd>
  )
}

export type KeyValueItem = { label: ReactNode; value: ReactNode; key?: string }

/** Names at the left, values at the right of a ledger line; stacked when narrow. */
export function KeyValue({ items, className }: { items: readonly KeyValueItem[]; className?: string }) {
  return (
    <dl className={clsx('border-t border-border', className)}>
      {items.map((item, at) => (
        <div
          key={item.key ?? (typeof item.label === 'string' ? item.label : at)}
          className="grid min-h-8 gap-x-4 border-b border-border py-1.5 sm:grid-cols-[minmax(8rem,1fr)_2fr]"
        >
          <dt className="text-muted">{item.label}</dt>
          <dd className="min-w-0 wrap-anywhere">{item.value}</dd>
        </div>
      ))}
    </dl>
  )
}

export type PageHeaderProps = {
  title: ReactNode
  /** One line: the verdict, or what the page is for. */
  lead?: ReactNode
  actions?: ReactNode
}

/** The page's h1, its line, its actions. Also what a skip link lands near: one a page. */
export function PageHeader({ title, lead, actions }: PageHeaderProps) {
  return (
    <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3 pb-4">
      <div className="min-w-0">
        <h1 className="text-title font-medium tracking-tight wrap-anywhere">{title}</h1>
        {lead ? <div className="mt-0.5 max-w-prose text-muted">{lead}</div> : null}
      </div>
      {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
    </header>
  )
}

/** A part of a page under its own h2; a rule above, never a box. */
export function Section({
  title,
  note,
  actions,
  children,
  className,
}: {
  title: ReactNode
  note?: ReactNode
  actions?: ReactNode
  children: ReactNode
  className?: string
}) {
  return (
    <section className={clsx('mt-8', className)}>
      <div className="mb-2 flex min-h-8 flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <h2 className="text-lead font-medium">
          {title}
          {note ? <span className="ml-3 text-body font-normal text-muted">{note}</span> : null}
        </h2>
        {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
      </div>
      {children}
    </section>
  )
}
