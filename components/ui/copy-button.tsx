'use client'

import { useEffect, useRef, useState } from 'react'
import { Button, IconButton } from './button'
import { CheckIcon, CopyIcon } from './icons'

export type CopyButtonProps = {
  /** The text to copy. */
  text: string
  /** What it is, for the spoken name: `Copy request id`. */
  label: string
  /** Shows the label beside the icon. */
  showLabel?: boolean
  /** Where the text stands on the page: selected when the browser withholds the clipboard. */
  textId?: string
}

/**
 * Copies to the clipboard. On plain http browsers withhold it: then the old copy command is tried, and if that
 * too is refused the text on the page is selected, ready for Ctrl-C.
 */
export function CopyButton({ text, label, showLabel = false, textId }: CopyButtonProps) {
  const [result, setResult] = useState<'copied' | 'selected'>()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])

  const copy = async () => {
    const copied = (await writeClipboard(text)) || copyByCommand(text)
    if (!copied && textId) selectText(textId)
    setResult(copied ? 'copied' : 'selected')
    clearTimeout(timer.current)
    timer.current = setTimeout(() => setResult(undefined), 2_500)
  }
  const said = result === 'copied' ? 'Copied' : result === 'selected' ? 'Selected: press Ctrl-C' : ''
  const icon = result === 'copied' ? <CheckIcon className="text-ok" /> : <CopyIcon />
  return (
    <span className="inline-flex items-center gap-1">
      {showLabel ? (
        <Button icon={icon} onClick={copy}>
          {result === 'copied' ? 'Copied' : label}
        </Button>
      ) : (
        <IconButton label={label} onClick={copy}>
          {icon}
        </IconButton>
      )}
      <span role="status" className={result === 'selected' ? 'text-note text-muted' : 'sr-only'}>
        {said}
      </span>
    </span>
  )
}

async function writeClipboard(text: string): Promise<boolean> {
  try {
    if (!navigator.clipboard) return false
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

function copyByCommand(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.readOnly = true
  area.className = 'fixed top-0 left-0 opacity-0'
  // Inside an open dialog, everything outside of it is inert and cannot hold the selection.
  const host = document.activeElement?.closest('dialog') ?? document.body
  const back = document.activeElement
  host.append(area)
  area.select()
  let copied = false
  try {
    copied = document.execCommand('copy')
  } catch {
    copied = false
  }
  area.remove()
  if (back instanceof HTMLElement) back.focus()
  return copied
}

function selectText(id: string): void {
  const element = document.getElementById(id)
  if (!element) return
  const range = document.createRange()
  range.selectNodeContents(element)
  const selection = document.getSelection()
  selection?.removeAllRanges()
  selection?.addRange(range)
}
