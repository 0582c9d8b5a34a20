'use client'

export type Side = { block: 'below' | 'above'; inline: 'start' | 'end' }

/**
 * Places a floating element beside its anchor, inside the window. Sets properties through the CSSOM, which a
 * strict Content-Security-Policy allows where a style attribute is refused.
 */
export function placeBeside(floating: HTMLElement, anchor: Element, wanted: Side, gap = 4): void {
  const from = anchor.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = floating
  const { clientWidth, clientHeight } = document.documentElement
  const below = from.bottom + gap
  const above = from.top - gap - height
  const fitsBelow = below + height <= clientHeight - gap
  const top =
    wanted.block === 'below' ? (fitsBelow || above < gap ? below : above) : above >= gap ? above : below
  const left = wanted.inline === 'start' ? from.left : from.right - width
  floating.style.setProperty('top', `${Math.max(gap, Math.min(top, clientHeight - height - gap))}px`)
  floating.style.setProperty('left', `${Math.max(gap, Math.min(left, clientWidth - width - gap))}px`)
}
