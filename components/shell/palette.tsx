'use client'

import dynamic from 'next/dynamic'
import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from 'react'
import { Modal } from '@/components/ui/modal'
import { ShortcutsDialog } from './shortcuts'

export type PaletteEntry = {
  id: string
  group: string
  label: string
  /** Other words by which it is found. */
  keywords?: readonly string[] | undefined
  hint?: string | undefined
  /** Found by the server, by more than its label. */
  found?: boolean
} & ({ href: string; run?: never } | { run: () => void; href?: never })

type Palette = {
  open: () => void
  showShortcuts: () => void
}

const PaletteContext = createContext<Palette | null>(null)
const PaletteBody = dynamic(() => import('./palette-body').then((module) => module.PaletteBody), {
  ssr: false,
})

/** Opens the palette or the list of shortcuts from anywhere in the console. */
export function usePalette(): Palette {
  const palette = use(PaletteContext)
  if (!palette) throw new Error('usePalette needs a PaletteProvider above it')
  return palette
}

/** Ctrl-K (or ⌘K) for commands, `?` for the shortcuts. cmdk comes over the wire on the first opening. */
export function PaletteProvider({ onSignOut, children }: { onSignOut: () => unknown; children: ReactNode }) {
  const [shown, setShown] = useState<'palette' | 'shortcuts' | null>(null)
  const close = useCallback(() => setShown(null), [])
  const open = useCallback(() => setShown('palette'), [])
  const showShortcuts = useCallback(() => setShown('shortcuts'), [])

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (
        event.key.toLowerCase() === 'k' &&
        (event.ctrlKey || event.metaKey) &&
        !event.altKey &&
        !event.shiftKey
      ) {
        event.preventDefault()
        setShown((old) => (old === 'palette' ? null : 'palette'))
      }
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])

  const palette = useMemo(() => ({ open, showShortcuts }), [open, showShortcuts])
  const commands: PaletteEntry[] = [
    { id: 'shortcuts', group: 'Console', label: 'Keyboard shortcuts', hint: '?', run: showShortcuts },
    { id: 'sign-out', group: 'Console', label: 'Sign out', run: () => void onSignOut() },
  ]
  return (
    <PaletteContext value={palette}>
      {children}
      <Modal
        open={shown === 'palette'}
        onClose={close}
        label="Search and commands"
        className="mx-auto mt-[12dvh] mb-auto w-[36rem] max-w-[calc(100vw-2rem)] overflow-hidden rounded-float border border-border shadow-float open:animate-enter"
      >
        <PaletteBody commands={commands} onDone={close} />
      </Modal>
      <ShortcutsDialog open={shown === 'shortcuts'} onOpen={showShortcuts} onClose={close} />
    </PaletteContext>
  )
}
