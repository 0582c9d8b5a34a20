import { type KeyboardEvent, type PointerEvent, useState } from 'react'
import { barAt } from './bars'
import { useCrosshair } from './crosshair'
import { type Frame, timeAt, xOf } from './geometry'

export type Window = { from: number; to: number }

/**
 * The crosshair and the brush of a chart whose time goes in steps of equal width. Arrow keys move from step to step,
 * Enter marks the ends of a window, and so does a drag; a window holds whole steps.
 */
export function useSteps({
  times,
  stepMs,
  frame,
  onBrush,
}: {
  /** Begins of the steps, ascending. */
  times: readonly number[]
  stepMs: number
  frame: Frame
  onBrush: ((window: Window) => void) | undefined
}) {
  const { from, to } = frame
  const [cross, setCross] = useCrosshair()
  const [start, setStart] = useState<number | null>(null)
  const inside = cross !== null && cross >= from && cross < to
  const at = inside ? barAt(cross, times, stepMs) : times.length - 1
  const begin = times[at]
  const pointed = inside ? begin : undefined
  const windowTo = (end: number): Window | null => {
    const [left, right] = [barAt(start ?? end, times, stepMs), barAt(end, times, stepMs)].sort(
      (a, b) => a - b,
    )
    const first = times[left as number]
    const last = times[right as number]
    return first === undefined || last === undefined
      ? null
      : { from: Math.max(first, from), to: Math.min(last + stepMs, to) }
  }
  const finish = (end: number, byKey: boolean) => {
    const window = start === null ? null : windowTo(end)
    setStart(null)
    // A click is no window; Enter twice on one step is.
    if (!window || !onBrush || start === null) return
    if (byKey || Math.abs(xOf(end, frame) - xOf(start, frame)) > 4) onBrush(window)
  }
  const timeUnder = (event: PointerEvent<HTMLElement>) =>
    Math.min(timeAt(event.clientX - event.currentTarget.getBoundingClientRect().left, frame), to - 1)
  const leave = () => {
    setCross(null)
    setStart(null)
  }
  return {
    /** The step that is pointed at, or the last one; -1 without steps. */
    at,
    begin,
    /** Where the step begins that is pointed at. */
    pointed,
    /** Where the window begins that is being marked. */
    start,
    marked: start === null || pointed === undefined ? null : windowTo(pointed),
    /** Points at the step that `at` tells. */
    point: () => begin !== undefined && setCross(Math.max(begin, from)),
    handlers: {
      onKeyDown(event: KeyboardEvent) {
        if (event.key === 'Escape') {
          if (!inside && start === null) return
          leave()
        } else if (event.key === 'Enter' && onBrush && begin !== undefined) {
          if (start === null) setStart(begin)
          else finish(begin, true)
        } else {
          const step = event.shiftKey ? 10 : 1
          const next = { ArrowLeft: at - step, ArrowRight: at + step, Home: 0, End: times.length - 1 }[
            event.key
          ]
          if (next === undefined) return
          const place = times[Math.min(Math.max(inside ? next : at, 0), times.length - 1)]
          if (place !== undefined) setCross(Math.max(place, from))
        }
        event.preventDefault()
      },
      onBlur: leave,
      onPointerMove: (event: PointerEvent<HTMLElement>) => setCross(timeUnder(event)),
      onPointerDown(event: PointerEvent<HTMLElement>) {
        if (!onBrush || event.button !== 0) return
        event.currentTarget.setPointerCapture(event.pointerId)
        setStart(timeUnder(event))
      },
      onPointerUp: (event: PointerEvent<HTMLElement>) => finish(timeUnder(event), false),
      onPointerCancel: () => setStart(null),
      onPointerLeave: () => setCross(null),
    },
  }
}
