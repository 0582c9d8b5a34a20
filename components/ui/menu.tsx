'use client'

import clsx from 'clsx'
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react'
import { placeBeside, type Side } from './anchor'
import { CheckIcon } from './icons'

export type MenuItem =
  | {
      kind?: 'item'
      label: ReactNode
      onSelect: () => void
      danger?: boolean
      disabled?: boolean
      hint?: ReactNode
    }
  | { kind: 'choice'; label: ReactNode; checked: boolean; onSelect: () => void }
  | { kind: 'heading'; label: ReactNode }
  | { kind: 'rule' }

export type MenuProps = {
  /** Spoken name of the trigger and of the menu. */
  label: string
  /** What the trigger shows. */
  children: ReactNode
  items: readonly MenuItem[]
  side?: Side
  triggerClassName?: string
}

/** A button that opens a short list of actions, as a native popover: Esc and a click outside close it. */
export function Menu({
  label,
  children,
  items,
  side = { block: 'below', inline: 'end' },
  triggerClassName,
}: MenuProps) {
  const id = useId()
  const trigger = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState(false)

  const select = (act: () => void) => {
    list.current?.hidePopover()
    trigger.current?.focus()
    act()
  }
  return (
    <>
      <button
        ref={trigger}
        type="button"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        popoverTarget={id}
        className={clsx(
          triggerClassName ??
            'inline-grid size-8 place-items-center rounded-control text-muted hover:bg-wash hover:text-text',
        )}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown' || open) return
          event.preventDefault()
          list.current?.showPopover()
        }}
      >
        {children}
      </button>
      <div
        ref={list}
        id={id}
        popover="auto"
        role="menu"
        aria-label={label}
        tabIndex={-1}
        className="fixed inset-auto m-0 max-h-[80dvh] min-w-48 max-w-[calc(100vw-1rem)] overflow-y-auto rounded-float border border-border bg-surface py-1 text-text shadow-float"
        onToggle={(event) => {
          const opened = event.newState === 'open'
          setOpen(opened)
          if (!opened || !list.current || !trigger.current) return
          placeBeside(list.current, trigger.current, side)
          entriesOf(list.current)[0]?.focus()
        }}
        onKeyDown={(event) => walk(event, () => list.current?.hidePopover())}
      >
        {items.map((item, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a menu's items have no identity beyond their place
          <MenuLine key={at} item={item} onSelect={select} />
        ))}
      </div>
    </>
  )
}

function MenuLine({ item, onSelect }: { item: MenuItem; onSelect: (act: () => void) => void }) {
  if (item.kind === 'rule') return <hr className="my-1 border-border" />
  if (item.kind === 'heading') {
    return (
      <div role="presentation" className="truncate px-3 py-1 text-note text-muted">
        {item.label}
      </div>
    )
  }
  const choice = item.kind === 'choice'
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: aria-checked belongs to menuitemradio, the only role it is given to
    <button
      type="button"
      role={choice ? 'menuitemradio' : 'menuitem'}
      aria-checked={choice ? item.checked : undefined}
      aria-disabled={!choice && item.disabled ? true : undefined}
      tabIndex={-1}
      className={clsx(
        'flex h-8 w-full items-center gap-2 px-3 text-left -outline-offset-2 hover:bg-wash focus:bg-wash aria-disabled:opacity-55',
        !choice && item.danger && 'text-bad',
      )}
      onClick={() => {
        if (choice || !item.disabled) onSelect(item.onSelect)
      }}
    >
      {choice ? <span className="w-4">{item.checked ? <CheckIcon /> : null}</span> : null}
      <span className="flex-1 whitespace-nowrap">{item.label}</span>
      {!choice && item.hint ? <span className="text-note text-muted">{item.hint}</span> : null}
    </button>
  )
}

function entriesOf(list: HTMLElement): HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>('[role^="menuitem"]')]
}

/** Arrows go round, Home and End jump, a letter finds, Tab leaves. */
function walk(event: KeyboardEvent<HTMLDivElement>, close: () => void): void {
  if (event.key === 'Tab') {
    close()
    return
  }
  const entries = entriesOf(event.currentTarget)
  const at = entries.indexOf(document.activeElement as HTMLElement)
  const count = entries.length
  const to =
    event.key === 'ArrowDown'
      ? (at + 1) % count
      : event.key === 'ArrowUp'
        ? (at - 1 + count) % count
        : event.key === 'Home'
          ? 0
          : event.key === 'End'
            ? count - 1
            : event.key.length === 1 && event.key !== ' '
              ? entries.findIndex((entry) =>
                  entry.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()),
                )
              : -1
  if (to < 0) return
  event.preventDefault()
  entries[to]?.focus()
}
