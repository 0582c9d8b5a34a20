'use client'

import type { Run } from '@/components/migration/types'
import { buttonClass } from '@/components/ui/button-class'
import { formatBytes, formatDuration, formatNumber } from '@/components/ui/format'
import { DownloadIcon } from '@/components/ui/icons'
import { Stat, StatRow } from '@/components/ui/stat'
import { Section } from '@/components/ui/text'

/** The figures of a run that ended, and everything about it to keep. */
export function ReportSection({ run }: { run: Run }) {
  return (
    <Section
      title="Report"
      note={run.report ? undefined : 'What is known so far; complete when the run has ended.'}
      actions={
        <>
          <DownloadLink run={run} file="report.html" label="Download HTML" />
          <DownloadLink run={run} file="report.json" label="Download JSON" />
        </>
      }
    >
      {run.report ? <Figures report={run.report} /> : null}
    </Section>
  )
}

function Figures({ report }: { report: NonNullable<Run['report']> }) {
  const seconds = report.transferMilliseconds / 1000
  return (
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
  )
}

/** A file about the run, fetched with the session of the page. */
export function DownloadLink({ run, file, label }: { run: Pick<Run, 'id'>; file: string; label: string }) {
  return (
    <a href={`/api/migration/${run.id}/${file}`} download className={buttonClass()}>
      <DownloadIcon />
      {label}
    </a>
  )
}
