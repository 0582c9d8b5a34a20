'use client'

import { useRouter } from 'next/navigation'
import { useEffect, useRef, useSyncExternalStore } from 'react'
import { Dialog } from '@/components/ui/dialog'
import { Checkbox } from '@/components/ui/field'
import { Key } from '@/components/ui/text'
import { AREAS } from './pages'

const STORAGE_KEY = 'holdfast.single-keys'
const SEQUENCE_MS = 1_200
const listeners = new Set<() => void>()

function singleKeys(): boolean {
  try {
    return localStorage.getItem(STORAGE_KEY) !== 'off'
  } catch {
    return true
  }
}

function setSingleKeys(on: boolean): void {
  try {
    localStorage.setItem(STORAGE_KEY, on ? 'on' : 'off')
  } catch {
    // Without storage the choice holds for nothing, and the keys stay on.
  }
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The list of keys, opened by `?`; single keys can be switched off (WCAG 2.1.4). */
export function ShortcutsDialog({
  open,
  onOpen,
  onClose,
}: {
  open: boolean
  onOpen: () => void
  onClose: () => void
}) {
  const on = useSyncExternalStore(subscribe, singleKeys, () => true)
  const router = useRouter()
  const goSince = useRef(0)

  useEffect(() => {
    if (!on) return
    const onKey = (event: KeyboardEvent) => {
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        isTyping(event.target) ||
        document.querySelector('dialog:modal')
      )
        return
      if (event.key === '?') {
        event.preventDefault()
        onOpen()
      } else if (event.key === 'g') goSince.current = event.timeStamp
      else if (event.timeStamp - goSince.current < SEQUENCE_MS) {
        goSince.current = 0
        const area = AREAS.find((each) => each.key === event.key)
        if (area) router.push(area.href)
      }
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [on, onOpen, router])

  return (
    <Dialog open={open} onClose={onClose} title="Keyboard shortcuts">
      <dl className="border-t border-border">
        <Line keys={['Ctrl', 'K']} does="Search and commands" />
        <Line keys={['?']} does="This list" />
        {AREAS.map((area) => (
          <Line key={area.href} keys={['g', area.key]} does={`Go to ${area.label}`} />
        ))}
        <Line keys={['↑', '↓']} does="Walk the rows of a table, Enter opens" />
        <Line keys={['←', '→']} does="Move the crosshair of a chart" />
        <Line keys={['Esc']} does="Close what lies on top" />
      </dl>
      <Checkbox
        label="Single-key shortcuts"
        hint="Off: only Ctrl K and Esc. Kept in this browser."
        checked={on}
        onChange={(event) => setSingleKeys(event.target.checked)}
      />
    </Dialog>
  )
}

function Line({ keys, does }: { keys: readonly string[]; does: string }) {
  return (
    <div className="flex h-8 items-center justify-between gap-4 border-b border-border">
      <dt>{does}</dt>
      <dd className="flex gap-1">
        {keys.map((key) => (
          <Key key={key}>{key}</Key>
        ))}
      </dd>
    </div>
  )
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, textarea, select, [role="menu"] *'))
  )
}
