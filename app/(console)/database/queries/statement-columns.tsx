import type { Statement } from '@/components/database/types'
import { Figure, ShareBar } from '@/components/ui/figure'
import { formatDuration, formatNumber, formatShare, type Reading } from '@/components/ui/format'
import type { Column } from '@/components/ui/table'

function figureColumn(
  key: string,
  header: string,
  value: (statement: Statement) => Reading,
  format: (value: Reading) => string,
): Column<Statement> {
  return {
    key,
    header,
    numeric: true,
    sortable: true,
    cell: (statement) => <Figure value={value(statement)} format={format} />,
  }
}

export const statementColumns: Column<Statement>[] = [
  {
    key: 'statement',
    header: 'Statement',
    rowHeader: true,
    className: 'w-full',
    cell: ({ text }) => (
      <span className="line-clamp-2 min-w-52 font-mono text-note [overflow-wrap:anywhere]">{text}</span>
    ),
  },
  {
    key: 'share',
    header: 'Share of time',
    className: 'whitespace-nowrap',
    cell: ({ share }) => (
      <span className="flex items-center justify-end gap-2 tabular-nums">
        <ShareBar share={share} className="w-16" />
        <span className="min-w-12 text-right">{formatShare(share)}</span>
      </span>
    ),
  },
  figureColumn('total', 'Total', ({ totalMs }) => totalMs, formatDuration),
  figureColumn('calls', 'Calls', ({ calls }) => calls, formatNumber),
  figureColumn('mean', 'Mean', ({ meanMs }) => meanMs, formatDuration),
  figureColumn('max', 'Max', ({ maxMs }) => maxMs, formatDuration),
  figureColumn('rows', 'Rows', ({ rows }) => rows, formatNumber),
  {
    ...figureColumn('errors', 'Errors', ({ errors }) => errors, formatNumber),
    cell: ({ errors }) =>
      errors ? (
        <span className="font-medium text-bad">{formatNumber(errors)}</span>
      ) : (
        <Figure value={errors} format={formatNumber} />
      ),
  },
  figureColumn('cache', 'Cache hits', ({ cacheHitRatio }) => cacheHitRatio, formatShare),
]
