'use client'

import clsx from 'clsx'
import { usePathname } from 'next/navigation'
import { type ReactNode, useId, useRef, useState } from 'react'
import {
  AccountIcon,
  CacheIcon,
  DatabaseIcon,
  FoldIcon,
  MenuIcon,
  MigrationIcon,
  OverviewIcon,
  SecurityIcon,
  SystemIcon,
} from '@/components/ui/icons'
import { Link } from '../ui/link'
import { AREAS, type AreaHref, areaOf } from './pages'
import { RAIL_COOKIE, rememberPreference } from './preferences'
import { CleatMark, Wordmark } from './wordmark'

const ICONS: Record<AreaHref, (props: { className?: string }) => ReactNode> = {
  '/': OverviewIcon,
  '/database': DatabaseIcon,
  '/cache': CacheIcon,
  '/security': SecurityIcon,
  '/migration': MigrationIcon,
  '/account': AccountIcon,
  '/system': SystemIcon,
}

/** The areas at the left edge, 208 px wide or 56 folded; the fold is kept in a cookie that the server reads. */
export function Rail({ folded: initiallyFolded }: { folded: boolean }) {
  const [folded, setFolded] = useState(initiallyFolded)
  const here = areaOf(usePathname())
  const fold = () => {
    setFolded(!folded)
    rememberPreference(RAIL_COOKIE, folded ? 'open' : 'folded')
  }
  return (
    <nav
      aria-label="Areas"
      className={clsx(
        'sticky top-0 hidden h-dvh shrink-0 flex-col border-r border-border rail:flex',
        folded ? 'w-14' : 'w-52',
      )}
    >
      <Link
        href="/"
        aria-label="Holdfast, overview"
        className={clsx(
          'flex h-10 items-center border-b border-border -outline-offset-2',
          folded ? 'justify-center' : 'px-4',
        )}
      >
        {folded ? <CleatMark /> : <Wordmark />}
      </Link>
      <ul className="flex flex-col py-2">
        {AREAS.map((area) => {
          const Icon = ICONS[area.href]
          const current = area.href === here
          return (
            <li key={area.href}>
              <Link
                href={area.href}
                aria-current={current ? 'page' : undefined}
                aria-label={folded ? area.label : undefined}
                title={folded ? area.label : undefined}
                className={clsx(
                  'flex h-9 items-center gap-3 border-l-2 -outline-offset-2',
                  folded ? 'justify-center pr-0.5' : 'pr-4 pl-3.5',
                  current
                    ? 'border-l-text font-medium text-text'
                    : 'border-l-transparent forced:border-l-[Canvas] text-muted hover:bg-wash hover:text-text',
                )}
              >
                <Icon />
                {folded ? null : area.label}
              </Link>
            </li>
          )
        })}
      </ul>
      <button
        type="button"
        aria-expanded={!folded}
        aria-label={folded ? 'Unfold the rail' : 'Fold the rail'}
        title={folded ? 'Unfold the rail' : undefined}
        onClick={fold}
        className={clsx(
          'mt-auto flex h-10 items-center gap-3 border-t border-border text-muted -outline-offset-2 hover:text-text',
          folded ? 'justify-center' : 'px-4',
        )}
      >
        <FoldIcon className={folded ? '-scale-x-100' : ''} />
        {folded ? null : 'Fold'}
      </button>
    </nav>
  )
}

const FIRST: readonly AreaHref[] = ['/', '/database', '/cache', '/migration']

/** The same areas below 800 px: four at the bottom edge, the rest behind More. */
export function BottomBar() {
  const here = areaOf(usePathname())
  const id = useId()
  const more = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState(false)
  const rest = AREAS.filter((area) => !FIRST.includes(area.href))
  return (
    <nav
      aria-label="Areas"
      className="fixed inset-x-0 bottom-0 z-20 border-t border-border bg-bg pb-[env(safe-area-inset-bottom)] rail:hidden"
    >
      <ul className="grid grid-cols-5">
        {AREAS.filter((area) => FIRST.includes(area.href)).map((area) => (
          <li key={area.href}>
            <BarLink area={area} current={area.href === here} />
          </li>
        ))}
        <li>
          <button
            type="button"
            popoverTarget={id}
            aria-expanded={open}
            className={clsx(
              'flex h-14 w-full flex-col items-center justify-center gap-1 border-t-2 text-note -outline-offset-2',
              rest.some((area) => area.href === here)
                ? 'border-t-text font-medium text-text'
                : 'border-t-transparent forced:border-t-[Canvas] text-muted',
            )}
          >
            <MenuIcon />
            More
          </button>
        </li>
      </ul>
      <div
        ref={more}
        id={id}
        popover="auto"
        onToggle={(event) => setOpen(event.newState === 'open')}
        className="fixed inset-auto right-2 bottom-16 m-0 min-w-44 rounded-float border border-border bg-surface py-1 text-text shadow-float"
      >
        <ul>
          {rest.map((area) => {
            const Icon = ICONS[area.href]
            return (
              <li key={area.href}>
                <Link
                  href={area.href}
                  aria-current={area.href === here ? 'page' : undefined}
                  className="flex h-11 items-center gap-3 px-4 -outline-offset-2 aria-[current]:font-medium"
                  onClick={() => more.current?.hidePopover()}
                >
                  <Icon />
                  {area.label}
                </Link>
              </li>
            )
          })}
        </ul>
      </div>
    </nav>
  )
}

function BarLink({ area, current }: { area: (typeof AREAS)[number]; current: boolean }) {
  const Icon = ICONS[area.href]
  return (
    <Link
      href={area.href}
      aria-current={current ? 'page' : undefined}
      className={clsx(
        'flex h-14 flex-col items-center justify-center gap-1 border-t-2 text-note -outline-offset-2',
        current
          ? 'border-t-text font-medium text-text'
          : 'border-t-transparent forced:border-t-[Canvas] text-muted',
      )}
    >
      <Icon />
      {area.label}
    </Link>
  )
}
