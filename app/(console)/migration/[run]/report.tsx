'use client'

import type { Run } from '@/components/migration/types'
import { Button } from '@/components/ui/button'
import { formatBytes, formatDuration, formatNumber } from '@/components/ui/format'
import { DownloadIcon } from '@/components/ui/icons'
import { Stat, StatRow } from '@/components/ui/stat'
import { Section } from '@/components/ui/text'

/** The figures of a run that ended, and everything about it to keep. */
export function ReportSection({ run, report }: { run: Run; report: NonNullable<Run['report']> }) {
  const seconds = report.transferMilliseconds / 1000
  return (
    <Section
      title="Report"
      actions={
        <Button
          icon={<DownloadIcon />}
          onClick={() => download(`migration-${run.id}.json`, JSON.stringify(report, null, 2))}
        >
          Download JSON
        </Button>
      }
    >
      <StatRow label="Figures of the run" columns={4}>
        <Stat label="Rows" value={formatNumber(report.rows)} />
        <Stat label="Data sent" value={formatBytes(report.bytes)} />
        <Stat
          label="Transfer"
          value={formatDuration(report.transferMilliseconds)}
          note={seconds > 0 ? `${formatNumber(report.rows / seconds)} rows/s` : undefined}
        />
        <Stat label="Whole run" value={formatDuration(report.finishedAt - report.startedAt)} />
      </StatRow>
    </Section>
  )
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
