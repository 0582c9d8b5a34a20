import { factorOf, formatCost } from '@/components/database/cost'
import { StatementLink } from '@/components/database/statement-link'
import type { OfferedIndex, Statement } from '@/components/database/types'
import { formatDuration, formatNumber } from '@/components/ui/format'
import { type Column, Table } from '@/components/ui/table'

type Verdict = OfferedIndex['verdicts'][number]

/** The statements that an index is for, with what they cost now and what they would. */
export function ServedStatements({
  name,
  verdicts,
  figures,
}: {
  name: string
  verdicts: Verdict[]
  figures: ReadonlyMap<string, Statement>
}) {
  const of = ({ fingerprint }: Verdict) => figures.get(fingerprint)
  const columns: Column<Verdict>[] = [
    {
      key: 'statement',
      header: 'Statement',
      className: 'w-full',
      cell: ({ fingerprint, text }) => (
        <span className="block min-w-52">
          <StatementLink fingerprint={fingerprint} text={text} />
        </span>
      ),
    },
    { key: 'calls', header: 'Calls', numeric: true, cell: (each) => formatNumber(of(each)?.calls) },
    { key: 'mean', header: 'Mean', numeric: true, cell: (each) => formatDuration(of(each)?.meanMs) },
    {
      key: 'before',
      header: 'Cost now',
      numeric: true,
      cell: ({ evidence }) => (evidence ? formatCost(evidence.costBefore) : formatNumber(undefined)),
    },
    {
      key: 'after',
      header: 'With it',
      numeric: true,
      cell: ({ evidence }) => (evidence ? formatCost(evidence.costAfter) : formatNumber(undefined)),
    },
    {
      key: 'factor',
      header: 'Less',
      numeric: true,
      cell: ({ evidence }) =>
        evidence ? factorOf(evidence.costBefore, evidence.costAfter) : formatNumber(undefined),
    },
  ]
  return (
    <div className="mt-2">
      <Table
        caption={`Statements that ${name} serves`}
        columns={columns}
        rows={verdicts}
        rowKey={({ fingerprint }) => fingerprint}
      />
    </div>
  )
}
