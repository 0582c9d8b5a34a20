'use client'

import { type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { downloadText } from '@/components/charts/csv'
import { Button } from '@/components/ui/button'
import { CopyButton } from '@/components/ui/copy-button'
import { Checkbox } from '@/components/ui/field'
import { DownloadIcon } from '@/components/ui/icons'

/** Backup codes, shown this once: to copy, as a file, on paper. `onSaved` once somebody says that they are kept. */
export function BackupCodes({
  codes,
  email,
  note,
  onSaved,
}: {
  codes: readonly string[]
  email: string
  /** What has just happened, above the codes. */
  note?: ReactNode
  onSaved: () => unknown
}) {
  const id = useId()
  const [saved, setSaved] = useState(false)
  const [made] = useState(() => new Date())
  const list = useRef<HTMLOListElement>(null)
  useEffect(() => list.current?.focus(), [])
  const title = `Holdfast backup codes for ${email} at ${location.host}`
  const day = made.toISOString().slice(0, 10)
  const text = [title, `Made ${day}. Each code works once.`, '', ...codes, ''].join('\r\n')
  const file = `holdfast-backup-codes-${location.host.replace(/[^\w.-]/g, '-')}-${day}.txt`
  return (
    <div className="flex flex-col gap-4">
      {note}
      <p className="text-muted">
        Each of these codes stands in for your second factor once, when it is not at hand. They are shown only
        now: keep them where you keep your passwords.
      </p>
      <ol
        ref={list}
        id={id}
        tabIndex={-1}
        aria-label="Backup codes"
        className="grid grid-cols-[repeat(auto-fill,minmax(14rem,1fr))] gap-x-6 border-y border-border py-2 font-mono outline-none"
      >
        {codes.map((code) => (
          <li key={code} className="whitespace-nowrap">
            {code}
          </li>
        ))}
      </ol>
      <div className="flex flex-wrap gap-2">
        <CopyButton text={codes.join('\n')} label="Copy codes" showLabel textId={id} />
        <Button icon={<DownloadIcon />} onClick={() => downloadText(file, text, 'text/plain;charset=utf-8')}>
          Download .txt
        </Button>
        <Button onClick={() => window.print()}>Print</Button>
      </div>
      <div className="flex flex-wrap items-center justify-between gap-2 border-t border-border pt-3">
        <Checkbox label="I saved them" checked={saved} onChange={() => setSaved(!saved)} />
        <Button variant="primary" disabled={!saved} onClick={onSaved}>
          Finish
        </Button>
      </div>
      <PrintSheet>
        <h1 className="text-lead font-medium">{title}</h1>
        <p>Made {day}. Each code works once.</p>
        <ol className="mt-4 list-inside list-decimal font-mono text-lead">
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ol>
      </PrintSheet>
    </div>
  )
}

/** What alone goes on paper as long as it is there (see globals.css). */
function PrintSheet({ children }: { children: ReactNode }) {
  const [ready, setReady] = useState(false)
  useEffect(() => setReady(true), [])
  return ready
    ? createPortal(
        <div data-print-sheet="" className="hidden print:block">
          {children}
        </div>,
        document.body,
      )
    : null
}
