'use client'

import type { ReactNode } from 'react'
import { ToastProvider } from '@/components/ui/toast'
import type { ConnectionState } from './connection'
import { PaletteProvider, usePalette } from './palette'
import { BottomBar, Rail } from './rail'
import { StatusStrip } from './status-strip'
import { SubNav } from './sub-nav'
import { UserMenu } from './user-menu'

export type ShellProps = {
  environment: string
  store: 'SQLite' | 'PostgreSQL'
  connection: ConnectionState
  /** The live control was pressed: pause, resume, reconnect or sign in, by the state it showed. */
  onConnection?: () => unknown
  email: string
  role: string
  onSignOut: () => unknown
  /** From the rail's cookie, read by the server. */
  railFolded: boolean
  /** Alerts that nobody has put away, for the strip. */
  alerts?: ReactNode
  /** Banners under the strip. */
  banners?: ReactNode
  children: ReactNode
}

/** What stands around every page: rail, strip, banners, toasts, palette. Props in; only the palette asks, once somebody types. */
export function Shell(props: ShellProps) {
  return (
    <ToastProvider>
      <PaletteProvider onSignOut={props.onSignOut}>
        <Frame {...props} />
      </PaletteProvider>
    </ToastProvider>
  )
}

function Frame({
  environment,
  store,
  connection,
  onConnection,
  email,
  role,
  onSignOut,
  railFolded,
  alerts,
  banners,
  children,
}: ShellProps) {
  const palette = usePalette()
  return (
    <div className="flex min-h-dvh">
      <a
        href="#main"
        className="fixed top-1 left-1 z-30 -translate-y-16 rounded-control border border-control bg-surface px-3 py-1.5 font-medium focus:translate-y-0"
      >
        Skip to the page
      </a>
      <Rail folded={railFolded} />
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="sticky top-0 z-10">
          <StatusStrip
            environment={environment}
            store={store}
            connection={connection}
            onConnection={onConnection}
            onPalette={palette.open}
            alerts={alerts}
            userMenu={
              <UserMenu email={email} role={role} onSignOut={onSignOut} onShortcuts={palette.showShortcuts} />
            }
          />
        </header>
        {banners}
        <main
          id="main"
          tabIndex={-1}
          className="w-full max-w-[90rem] flex-1 px-4 pt-6 pb-24 outline-none lg:px-6 rail:pb-12"
        >
          <SubNav />
          {children}
        </main>
      </div>
      <BottomBar />
    </div>
  )
}
