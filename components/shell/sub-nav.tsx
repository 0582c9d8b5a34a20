'use client'

import clsx from 'clsx'
import { usePathname } from 'next/navigation'
import { useEffect, useRef } from 'react'
import { Link } from '../ui/link'
import { AREAS, areaOf, subPagesOf } from './pages'

/** The pages of the area that is open, as links; the current one is the longest that the path begins with. */
export function SubNav() {
  const pathname = usePathname()
  const area = AREAS.find(({ href }) => href === areaOf(pathname))
  const pages = subPagesOf(area?.href)
  const here = pages
    .map(({ href }) => href)
    .filter((href) => pathname === href || pathname.startsWith(`${href}/`))
    .sort((a, b) => b.length - a.length)[0]
  const current = useRef<HTMLAnchorElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: on a narrow screen the next page's link may be out of sight
  useEffect(() => {
    // Newer browsers answer a promise, which an effect must not return.
    current.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [here])
  if (!area || pages.length === 0) return null
  return (
    <nav
      aria-label={`${area.label} pages`}
      className="-mx-4 -mt-3 mb-6 overflow-x-auto border-b border-border px-4 lg:mx-0 lg:px-0"
    >
      <ul className="flex gap-6">
        {pages.map(({ href, label }) => (
          <li key={href}>
            <Link
              href={href}
              ref={href === here ? current : undefined}
              aria-current={href === here ? 'page' : undefined}
              className={clsx(
                'flex h-10 items-center whitespace-nowrap border-b-2 -outline-offset-2',
                href === here
                  ? 'border-text font-medium'
                  : 'border-transparent forced:border-[Canvas] text-muted hover:text-text',
              )}
            >
              {label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
