'use client'

import { type PointerEvent, useEffect, useState } from 'react'
import {
  useActiveTooltipLabel,
  useIsTooltipActive,
  usePlotArea,
  useXAxisInverseScale,
  useXAxisScale,
} from 'recharts'

/** A drag shorter than this, in px, is a click. */
const LEAST = 4

/**
 * Lies over the plot of a history chart and makes a window of a drag. `start` is the end that the keyboard has
 * marked; `onActive` tells where the crosshair stands.
 */
export function HistoryBrush({
  start,
  onActive,
  onBrush,
}: {
  start: number | null
  onActive: (time: number | undefined) => void
  onBrush?: (window: { from: number; to: number }) => void
}) {
  const area = usePlotArea()
  const timeAt = useXAxisInverseScale()
  const placeOf = useXAxisScale()
  const pointed = useActiveTooltipLabel()
  const active = useIsTooltipActive() && pointed !== undefined ? Number(pointed) : undefined
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null)
  useEffect(() => onActive(active), [active, onActive])
  if (!area || !timeAt || !placeOf) return null

  const xOf = (event: PointerEvent<SVGRectElement>) => {
    const left = event.currentTarget.getBoundingClientRect().left
    return Math.min(Math.max(event.clientX - left, 0), area.width) + area.x
  }
  function finish(event: PointerEvent<SVGRectElement>) {
    if (!drag || !onBrush || !timeAt) return setDrag(null)
    const [left, right] = [drag.from, xOf(event)].sort((a, b) => a - b) as [number, number]
    setDrag(null)
    if (right - left > LEAST) onBrush({ from: Number(timeAt(left)), to: Number(timeAt(right)) })
  }
  const marked = start === null || active === undefined ? null : { from: placeOf(start), to: placeOf(active) }
  const shown = drag ?? marked
  return (
    <>
      {shown?.from !== undefined && shown.to !== undefined ? (
        <rect
          x={Math.min(shown.from, shown.to)}
          width={Math.abs(shown.to - shown.from)}
          y={area.y}
          height={area.height}
          className="fill-accent/15"
        />
      ) : null}
      <rect
        {...area}
        data-brush=""
        className="fill-transparent"
        onPointerDown={(event) => {
          if (!onBrush || event.button !== 0 || event.pointerType === 'touch') return
          event.currentTarget.setPointerCapture(event.pointerId)
          setDrag({ from: xOf(event), to: xOf(event) })
        }}
        onPointerMove={(event) => drag && setDrag({ ...drag, to: xOf(event) })}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(null)}
      />
    </>
  )
}
