'use client'

import type { Run, Validation } from '@/components/migration/types'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { errorFacts } from '@/components/ui/error-facts'
import { formatCount, formatNumber } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { useToast } from '@/components/ui/toast'
import type { RunPartProps } from './actions'
import { CheckList } from './checks'
import { Differences } from './difference'

/** What was compared on both sides, table by table; a difference is named by its first row. */
export function ValidationSection({
  run,
  validation,
  can,
  onChanged,
}: RunPartProps & { validation: Validation }) {
  const client = useTRPCClient()
  const toast = useToast()
  const { tables, checks, ok } = validation
  const again = async () => {
    try {
      await client.migration.validate.mutate({ id: run.id })
    } catch (error) {
      const { message, remedy } = errorFacts(error)
      toast({ text: [message, remedy].filter(Boolean).join(' '), tone: 'bad' })
    }
    await onChanged()
  }
  const comparing = run.phase === 'validate'
  const columns = tables.reduce((sum, table) => sum + table.columns.length, 0)
  return (
    <Section
      title="Validation"
      note={`Counts and checksums of ${formatCount(columns, 'column')}, computed on both sides`}
      actions={
        can.operate && isComparable(run) ? (
          <Button busy={comparing} onClick={again}>
            Compare again
          </Button>
        ) : null
      }
    >
      <div className="mb-3">
        {comparing && run.state !== 'running' ? (
          <Callout tone="busy" title="Both sides are being compared again">
            Below is what the last comparison found.
          </Callout>
        ) : (
          <Callout tone={ok ? 'ok' : 'bad'} title={ok ? sameWords(run) : 'The sides differ'} />
        )}
      </div>
      <Table
        caption="Validation of each table"
        columns={[
          {
            key: 'table',
            header: 'Table',
            rowHeader: true,
            className: 'whitespace-nowrap',
            cell: ({ table }) => <Mono>{table}</Mono>,
          },
          {
            key: 'ok',
            header: 'Result',
            cell: (table) => (
              <Status kind={table.ok ? 'ok' : 'bad'}>{table.ok ? 'Same' : 'Different'}</Status>
            ),
          },
          {
            key: 'source',
            header: 'Rows, SQLite',
            numeric: true,
            cell: ({ sourceRows }) => formatNumber(sourceRows),
          },
          {
            key: 'target',
            header: 'Rows, PostgreSQL',
            numeric: true,
            cell: ({ targetRows }) => formatNumber(targetRows),
          },
          {
            key: 'columns',
            header: 'Columns that agree',
            numeric: true,
            cell: (table) =>
              `${formatNumber(table.columns.filter((column) => column.ok).length)} of ${formatNumber(table.columns.length)}`,
          },
          {
            key: 'difference',
            header: 'First difference',
            cell: ({ firstDifference, columns }) => (
              <span className="whitespace-normal">
                {firstDifference ? <Mono>{firstDifference}</Mono> : <span className="text-muted">none</span>}
                {columns
                  .filter((column) => !column.ok)
                  .map(({ column, source, target }) => (
                    <span key={column} className="block text-bad">
                      <Mono>{`${column}: ${source} | ${target}`}</Mono>
                    </span>
                  ))}
              </span>
            ),
          },
        ]}
        rows={tables}
        rowKey={({ table }) => table}
        rowTone={(table) => (table.ok ? undefined : 'bad')}
      />
      <Differences tables={tables} />
      {checks.length > 0 ? (
        <div className="mt-4">
          <h3 className="mb-2 font-medium">Keys, foreign keys, sequences</h3>
          <CheckList checks={checks} />
        </div>
      ) : null}
    </Section>
  )
}

const sameWords = ({ report }: Run) =>
  report && report.rejected > 0
    ? `Both sides are the same but for ${formatCount(report.rejected, 'rejected row')}`
    : 'Both sides are the same'

/**
 * An upload is gone after its run, the own store is ahead of its copy until the switchover, which compares, and a
 * run that failed here is compared by going on.
 */
function isComparable({ state, sourceKind, purpose, error }: Run): boolean {
  if (state === 'failed' && error?.resumable) return false
  if (sourceKind !== 'folder' && purpose === 'migrate') return false
  return state === 'completed' || state === 'failed' || state === 'switched_over'
}
