'use client'

import { type FocusEvent, useState } from 'react'

/** A live value that stands still while the pointer or the focus is on the element that `bind` is spread on. */
export function useHeld<T>(value: T) {
  const [hovered, setHovered] = useState(false)
  const [focused, setFocused] = useState(false)
  const [kept, setKept] = useState<{ value: T } | null>(null)
  const held = hovered || focused
  // Set while rendering: the first value that is held is the one on screen.
  if (held && kept === null) setKept({ value })
  if (!held && kept !== null) setKept(null)
  return {
    shown: held && kept ? kept.value : value,
    held,
    bind: {
      onPointerEnter: () => setHovered(true),
      onPointerLeave: () => setHovered(false),
      // A click leaves the focus behind as well; only who walks by keys is on it.
      onFocus: ({ target }: FocusEvent) => setFocused(target.matches(':focus-visible')),
      onBlur: ({ currentTarget, relatedTarget }: FocusEvent) =>
        setFocused(relatedTarget instanceof Node && currentTarget.contains(relatedTarget)),
    },
  }
}
