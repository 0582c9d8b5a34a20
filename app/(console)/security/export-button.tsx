'use client'

import { useState } from 'react'
import { useAsked } from '@/components/shell/use-asked'
import { Button } from '@/components/ui/button'
import { buttonClass } from '@/components/ui/button-class'
import { Dialog } from '@/components/ui/dialog'
import { formatCount, formatTime } from '@/components/ui/format'
import { DownloadIcon } from '@/components/ui/icons'
import { KeyValue } from '@/components/ui/text'
import { useZone } from '@/components/ui/zone'
import { type EventsFilter, exportHref, FILTER_NAMES } from './filter'

/** Exports exactly the events that the page shows, all pages of them. */
export function ExportButton({
  wanted,
  total,
}: {
  wanted: EventsFilter & { from: number; to?: number }
  total: number | undefined
}) {
  const zone = useZone()
  const [open, setOpen] = useState(false)
  useAsked('export', () => setOpen(true))
  const filtered = FILTER_NAMES.filter((name) => wanted[name] !== undefined)
  const links = [
    { format: 'ndjson' as const, label: 'Download NDJSON' },
    { format: 'csv' as const, label: 'Download CSV' },
  ]
  return (
    <>
      <Button icon={<DownloadIcon />} aria-haspopup="dialog" onClick={() => setOpen(true)}>
        Export
      </Button>
      <Dialog
        open={open}
        onClose={() => setOpen(false)}
        title={total === undefined ? 'Export events' : `Export ${formatCount(total, 'event')}`}
        actions={
          <>
            <Button onClick={() => setOpen(false)}>Close</Button>
            {links.map(({ format, label }) => (
              <a key={format} href={exportHref(wanted, format)} download className={buttonClass()}>
                {label}
              </a>
            ))}
          </>
        }
      >
        <p className="text-muted">
          Exactly the filtered events, all pages of them, as they are when the download begins. NDJSON holds
          every column as it is hashed, for a verification elsewhere; CSV is for spreadsheets.
        </p>
        <KeyValue
          items={[
            { label: 'From', value: formatTime(wanted.from, zone, { withZone: true }) },
            {
              label: 'To',
              value: wanted.to === undefined ? 'now' : formatTime(wanted.to, zone, { withZone: true }),
            },
            {
              label: 'Filter',
              value:
                filtered.length === 0
                  ? 'none'
                  : filtered.map((name) => `${name}: ${[wanted[name]].flat().join(', ')}`).join('; '),
            },
            { label: 'Times in the file', value: 'UTC, ISO 8601' },
          ]}
        />
      </Dialog>
    </>
  )
}
