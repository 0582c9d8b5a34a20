'use client'

import clsx from 'clsx'
import { type ReactNode, useId, useState } from 'react'
import { Button } from '@/components/ui/button'
import { formatTime } from '@/components/ui/format'
import { Table } from '@/components/ui/table'
import { useZone } from '@/components/ui/zone'
import { chartCsv } from './csv'
import { CsvButton } from './csv-button'
import type { Point, Series } from './geometry'

export type ChartData = {
  /** UTC ms, ascending. */
  times: readonly number[]
  /** Each as long as `times`; null or undefined is a gap. Lines are four at most. */
  series: readonly Series[]
}

export type ChartFrameProps = ChartData & {
  title: string
  /** What it shows, in words; by default made from the data. */
  sentence: string
  format: (value: Point) => string
  /** The CSV's file name without its ending. */
  name: string
  aside?: ReactNode
  /** Keeps room for two lines of the sentence: what stands below does not move when it grows with its values. */
  roomy?: boolean
  children: ReactNode
}

/** What every chart has: a title, a sentence, a table of the same data, and CSV. */
export function ChartFrame({
  title,
  sentence,
  times,
  series,
  format,
  name,
  aside,
  roomy = false,
  children,
}: ChartFrameProps) {
  const id = useId()
  const zone = useZone()
  const [table, setTable] = useState(false)
  return (
    <figure aria-labelledby={`${id}-title`} aria-describedby={`${id}-sentence`} className="min-w-0">
      <figcaption className="mb-1 flex min-h-6 flex-wrap items-center justify-between gap-x-4">
        <span id={`${id}-title`} className="font-medium">
          {title}
        </span>
        <span className="flex items-center gap-1">
          {aside}
          <Button
            variant="plain"
            size="small"
            aria-expanded={table}
            aria-controls={`${id}-table`}
            onClick={() => setTable(!table)}
          >
            Table
          </Button>
          <CsvButton of={title} name={name} csv={() => chartCsv(times, series, zone)} />
        </span>
      </figcaption>
      {children}
      <p id={`${id}-sentence`} className={clsx('mt-1 text-note text-muted', roomy && 'min-h-8')}>
        {sentence}
      </p>
      <div id={`${id}-table`} className="mt-2">
        {table ? (
          <ChartTable title={title} times={times} series={series} format={format} zone={zone} />
        ) : null}
      </div>
    </figure>
  )
}

const MOST_ROWS = 240

function ChartTable({
  title,
  times,
  series,
  format,
  zone,
}: ChartData & { title: string; format: (value: Point) => string; zone: string }) {
  const rows = times.map((time, at) => ({ time, at })).reverse()
  return (
    <>
      <Table
        caption={`${title}, newest first, times in ${zone}`}
        scroll="own"
        rows={rows.slice(0, MOST_ROWS)}
        rowKey={(row) => String(row.at)}
        columns={[
          {
            key: 'time',
            header: `Time (${zone})`,
            cell: (row) => formatTime(row.time, zone),
            className: 'whitespace-nowrap',
          },
          ...series.map((each) => ({
            key: each.key,
            header: each.label,
            numeric: true,
            cell: (row: { at: number }) => format(each.values[row.at]),
          })),
        ]}
      />
      {rows.length > MOST_ROWS ? (
        <p className="mt-1 text-note text-muted">
          The newest {MOST_ROWS} of {rows.length} readings; the CSV has all.
        </p>
      ) : null}
    </>
  )
}
