'use client'

import { useRouter } from 'next/navigation'
import { type ReactNode, useSyncExternalStore } from 'react'
import { ChevronIcon, SearchIcon } from '@/components/ui/icons'
import { Menu } from '@/components/ui/menu'
import { Key } from '@/components/ui/text'
import { useZone } from '@/components/ui/zone'
import { ZONE_COOKIE } from '@/components/ui/zone-name'
import { ConnectionControl, type ConnectionState } from './connection'
import { rememberPreference } from './preferences'
import { RANGES, useTimeRange } from './time-range'
import { CleatMark } from './wordmark'

export type StatusStripProps = {
  /** e.g. `production`, or the host's name. */
  environment: string
  store: 'SQLite' | 'PostgreSQL'
  connection: ConnectionState
  onConnection?: () => unknown
  onPalette: () => void
  /** Alerts that nobody has put away. */
  alerts?: ReactNode
  userMenu: ReactNode
}

const TRIGGER = 'flex h-8 items-center gap-1 rounded-control px-2 text-muted hover:bg-wash hover:text-text'

/** 40 px that never leave: where, on what, since when, in which zone. */
export function StatusStrip({
  environment,
  store,
  connection,
  onConnection,
  onPalette,
  alerts,
  userMenu,
}: StatusStripProps) {
  return (
    <div className="flex h-10 items-center gap-1 border-b border-border bg-bg pr-2 pl-3 lg:pl-5">
      <CleatMark className="mr-1 rail:hidden" />
      <p className="mr-1 hidden min-w-0 items-center gap-2 whitespace-nowrap sm:flex">
        <span className="max-w-40 truncate font-medium" title="Environment">
          {environment}
        </span>
        <span aria-hidden="true" className="text-border">
          /
        </span>
        <span className="text-muted" title="The store that this console runs on">
          {store}
        </span>
      </p>
      <ConnectionControl state={connection} onPress={onConnection} />
      <div className="ml-auto flex items-center">
        <RangeMenu />
        <ZoneMenu />
        <button
          type="button"
          className={TRIGGER}
          onClick={onPalette}
          title="Search and commands"
          aria-haspopup="dialog"
        >
          <SearchIcon />
          <span className="sr-only">Search and commands</span>
          <span className="hidden whitespace-nowrap lg:inline">
            <Key>Ctrl K</Key>
          </span>
        </button>
        {alerts}
        {userMenu}
      </div>
    </div>
  )
}

/** The window of time that every chart and list follows. */
function RangeMenu() {
  const { range, window, label, choose, brush } = useTimeRange()
  return (
    <Menu
      label={`Time range: ${label}`}
      triggerClassName={TRIGGER}
      items={[
        ...RANGES.map((each) => ({
          kind: 'choice' as const,
          label: each.label,
          checked: window === null && range.key === each.key,
          onSelect: () => choose(each.key),
        })),
        ...(window
          ? [{ kind: 'rule' as const }, { label: 'Leave the brushed window', onSelect: () => brush(null) }]
          : []),
      ]}
    >
      <span className="whitespace-nowrap tabular-nums sm:hidden">{window ? 'Window' : range.key}</span>
      <span className="hidden whitespace-nowrap tabular-nums sm:inline">{label}</span>
      <ChevronIcon />
    </Menu>
  )
}

const nothing = () => () => {}

/** UTC, or the zone of this browser. The choice is a cookie, since the server writes times too. */
function ZoneMenu() {
  const zone = useZone()
  const router = useRouter()
  const own = useSyncExternalStore(
    nothing,
    () => Intl.DateTimeFormat().resolvedOptions().timeZone,
    () => zone,
  )
  const zones = [...new Set(['UTC', own, zone])]
  return (
    <Menu
      label={`Time zone: ${zone}`}
      triggerClassName={`${TRIGGER} max-sm:hidden`}
      items={zones.map((each) => ({
        kind: 'choice' as const,
        label: each === own && each !== 'UTC' ? `${each} (this browser)` : each,
        checked: each === zone,
        onSelect: () => {
          rememberPreference(ZONE_COOKIE, each)
          router.refresh()
        },
      }))}
    >
      <span className="whitespace-nowrap">{zone}</span>
      <ChevronIcon />
    </Menu>
  )
}
