'use client'

import clsx from 'clsx'
import Link from 'next/link'
import { usePathname } from 'next/navigation'

export type TabItem = { href: string; label: string; count?: number }

/** Sections of one area as links; the current one is found by the path and marked by aria-current. */
export function Tabs({
  label,
  items,
  current,
}: {
  label: string
  items: readonly TabItem[]
  current?: string
}) {
  const pathname = usePathname()
  const here =
    current ??
    items
      .filter((item) => pathname === item.href || pathname.startsWith(`${item.href}/`))
      .sort((a, b) => b.href.length - a.href.length)[0]?.href
  return (
    <nav
      aria-label={label}
      className="-mx-4 mb-6 overflow-x-auto border-b border-border px-4 lg:mx-0 lg:px-0"
    >
      <ul className="flex gap-6">
        {items.map((item) => (
          <li key={item.href}>
            <Link
              href={item.href}
              prefetch={false}
              aria-current={item.href === here ? 'page' : undefined}
              className={clsx(
                'flex h-10 items-center gap-1.5 whitespace-nowrap border-b-2 -outline-offset-2',
                item.href === here
                  ? 'border-text font-medium'
                  : 'border-transparent forced:border-[Canvas] text-muted hover:text-text',
              )}
            >
              {item.label}
              {item.count === undefined ? null : (
                <span className="text-note text-muted tabular-nums">{item.count}</span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
