'use client'

import { useEffect, useState } from 'react'
import { flushSync } from 'react-dom'

/** Ends when the drawing that is asked for last is made. */
let drawn = Promise.resolve()

/**
 * Whether a drawing that takes long may be made: false at first, true for good when those before it are made. Drawings
 * that appear together have a task each, so that the page answers between them.
 */
export function useTurn(): boolean {
  const [turn, setTurn] = useState(false)
  useEffect(() => {
    let gone = false
    drawn = drawn
      .then(() => new Promise<void>((resolve) => setTimeout(resolve)))
      .then(() => {
        if (!gone) flushSync(() => setTurn(true))
      })
    return () => {
      gone = true
    }
  }, [])
  return turn
}
