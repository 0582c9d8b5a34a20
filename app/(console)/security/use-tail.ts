'use client'

import { type RefObject, useEffect, useState } from 'react'
import type { RouterOutputs } from '@/server/routers/_app'

type EventPage = RouterOutputs['security']['events']['list']

/** Why a list that follows the present stands still. */
export type Hold = 'away' | 'pointer' | 'focus' | 'selection' | 'drawer'

/**
 * A list that follows the present and stands still while somebody reads it: scrolled down, pointed at, with the
 * keyboard in it, text of it selected, or an event of it open. Answers what is shown and how many are new.
 */
export function useTail({
  page,
  question,
  follows,
  open,
  table,
  mark,
}: {
  /** The latest events, as far as they are known. */
  page: EventPage | undefined
  /** Names what was asked: another question lets go. */
  question: string
  follows: boolean
  open: boolean
  table: RefObject<HTMLElement | null>
  /** Stands right above the table: out of sight, somebody has scrolled. */
  mark: RefObject<HTMLElement | null>
}) {
  const away = useScrolledPast(mark)
  const selection = useSelectionIn(table)
  const [pointer, setPointer] = useState(false)
  const [focus, setFocus] = useState(false)
  const [held, setHeld] = useState<{ question: string; page: EventPage } | null>(null)

  const reasons: Record<Hold, boolean> = { away, pointer, focus, selection, drawer: open }
  const hold = follows ? (Object.keys(reasons) as Hold[]).find((reason) => reasons[reason]) : undefined
  if (hold && page && held?.question !== question) setHeld({ question, page })
  if (!hold && held) setHeld(null)

  const stands = hold && held?.question === question ? held.page : undefined
  const latest = stands?.events[0]?.seq ?? 0
  const newer = stands ? (page?.events ?? []).filter(({ seq }) => seq > latest).length : 0
  return {
    shown: stands ?? page,
    hold,
    /** New events that are not shown; `more` when there may be others between. */
    fresh: { count: newer, more: newer > 0 && newer === page?.events.length && page.next !== null },
    setPointer,
    setFocus,
  }
}

/** Whether an element lies above what is in sight. */
function useScrolledPast(element: RefObject<HTMLElement | null>): boolean {
  const [past, setPast] = useState(false)
  useEffect(() => {
    const target = element.current
    if (!target) return
    // What is still below counts as in sight: a jump from there to above must be told as well.
    // Several moments may come at once: the last one counts.
    const observer = new IntersectionObserver(
      (entries) => setPast(entries.at(-1)?.isIntersecting === false),
      {
        rootMargin: '-48px 0px 1000000px 0px',
      },
    )
    observer.observe(target)
    return () => observer.disconnect()
  }, [element])
  return past
}

function useSelectionIn(element: RefObject<HTMLElement | null>): boolean {
  const [selecting, setSelecting] = useState(false)
  useEffect(() => {
    const look = () => {
      const selection = document.getSelection()
      setSelecting(
        selection?.type === 'Range' &&
          element.current !== null &&
          selection.anchorNode !== null &&
          element.current.contains(selection.anchorNode),
      )
    }
    document.addEventListener('selectionchange', look)
    return () => document.removeEventListener('selectionchange', look)
  }, [element])
  return selecting
}
