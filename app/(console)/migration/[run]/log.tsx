'use client'

import { useQuery } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Status, type StatusKind } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'

const LEVELS: Record<'info' | 'warn' | 'error', { kind: StatusKind; word: string }> = {
  info: { kind: 'off', word: 'Info' },
  warn: { kind: 'warn', word: 'Warning' },
  error: { kind: 'bad', word: 'Error' },
}

/** What happened, newest first. */
export function LogSection({ id, moving }: { id: string; moving: boolean }) {
  const trpc = useTRPC()
  const log = useQuery(
    trpc.migration.log.queryOptions({ id, limit: 200 }, { refetchInterval: moving ? 3_000 : false }),
  )
  return (
    <Section title="Log" note="The newest 200 lines.">
      {log.error && !log.data ? (
        <ErrorTile error={log.error} what="Log" onRetry={() => log.refetch()} />
      ) : log.data ? (
        <Table
          caption="Log, newest first"
          scroll="own"
          columns={[
            {
              key: 'time',
              header: 'Time',
              className: 'whitespace-nowrap',
              cell: ({ time }) => <Time at={time} seconds />,
            },
            {
              key: 'level',
              header: 'Level',
              cell: ({ level }) => <Status kind={LEVELS[level].kind}>{LEVELS[level].word}</Status>,
            },
            {
              key: 'message',
              header: 'What happened',
              rowHeader: true,
              className: 'w-full',
              cell: ({ message }) => <span className="whitespace-normal wrap-anywhere">{message}</span>,
            },
          ]}
          rows={log.data}
          rowKey={(line) => line.id}
          rowTone={({ level }) => (level === 'error' ? 'bad' : level === 'warn' ? 'warn' : undefined)}
          empty={<Empty kind="no-data" title="Nothing has happened yet" />}
        />
      ) : (
        <Skeleton className="h-40 w-full" label="Reading the log" />
      )}
    </Section>
  )
}
