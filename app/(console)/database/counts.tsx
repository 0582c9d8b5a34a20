import type { Stats } from '@/components/database/types'
import { Empty } from '@/components/ui/empty'
import { Figure } from '@/components/ui/figure'
import { formatDuration, formatNumber, formatShare } from '@/components/ui/format'
import { Table } from '@/components/ui/table'
import { KeyValue, Mono, Section } from '@/components/ui/text'
import { RelativeTime } from '@/components/ui/time'
import { errorWords } from './error-words'

/** Everything that is counted since the database was opened, but for errors. */
export function Counts({ stats }: { stats: Stats }) {
  const { pool } = stats
  const times = [
    { name: 'Query time', ...stats.queryTime },
    ...(pool ? [{ name: 'Wait for a connection', ...stats.waitTime }] : []),
  ]
  return (
    <Section title="Since it was opened" note={<RelativeTime at={stats.openedAt} />}>
      <Table<(typeof times)[number]>
        caption="Times, by the share of statements that did not exceed them"
        columns={[
          { key: 'name', header: 'Time', rowHeader: true, cell: ({ name }) => name },
          ...(['mean', 'p50', 'p95', 'p99'] as const).map((key) => ({
            key,
            header: key,
            numeric: true,
            cell: (row: (typeof times)[number]) => <Figure value={row[key]} format={formatDuration} />,
          })),
        ]}
        rows={times}
        rowKey={({ name }) => name}
      />
      <div className="-mt-px">
        <KeyValue
          items={[
            { label: 'Statements', value: formatNumber(stats.queries) },
            ...(pool
              ? [
                  {
                    label: 'Connections opened · closed',
                    value: `${formatNumber(stats.connectionsOpened)} · ${formatNumber(stats.connectionsClosed)}`,
                  },
                  { label: 'Connections that failed', value: formatNumber(stats.connectionFailures) },
                  { label: 'Callers that gave up waiting', value: formatNumber(stats.acquireTimeouts) },
                  { label: 'Callers refused, queue full', value: formatNumber(stats.queueRefusals) },
                  {
                    label: 'Statements ended at their deadline',
                    value: formatNumber(stats.statementTimeouts),
                  },
                  { label: 'Connections reported as leaked', value: formatNumber(stats.leaks) },
                ]
              : []),
          ]}
        />
      </div>
    </Section>
  )
}

/** Errors by their code, the most frequent first, in plain words where there are some. */
export function Errors({ stats }: { stats: Stats }) {
  const rows = Object.entries(stats.errors)
    .sort(([, a], [, b]) => b - a)
    .map(([code, count]) => ({ code, count, words: errorWords(code) }))
  return (
    <Section title="Errors by code" note={<RelativeTimeNote at={stats.openedAt} />}>
      <Table<(typeof rows)[number]>
        caption="Errors by SQLSTATE or SQLite code"
        columns={[
          { key: 'code', header: 'Code', rowHeader: true, cell: ({ code }) => <Mono>{code}</Mono> },
          {
            key: 'words',
            header: 'What it means',
            className: 'min-w-48',
            cell: ({ words }) => words ?? <span className="text-muted">See the manual of the database</span>,
          },
          { key: 'count', header: 'Errors', numeric: true, cell: ({ count }) => formatNumber(count) },
          {
            key: 'share',
            header: 'Of all statements',
            numeric: true,
            className: 'max-sm:hidden',
            cell: ({ count }) => formatShare(stats.queries > 0 ? count / stats.queries : null),
          },
        ]}
        rows={rows}
        rowKey={({ code }) => code}
        empty={<Empty kind="no-data" title="No statement has failed" />}
      />
    </Section>
  )
}

function RelativeTimeNote({ at }: { at: number }) {
  return (
    <>
      since <RelativeTime at={at} />
    </>
  )
}
