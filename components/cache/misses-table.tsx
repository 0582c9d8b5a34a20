import { Figure } from '@/components/ui/figure'
import { formatNumber, formatShare } from '@/components/ui/format'
import { Table } from '@/components/ui/table'
import type { MissReason } from './types'
import { missRows } from './words'

type Row = ReturnType<typeof missRows>[number]

/** Why reads found nothing. */
export function MissesTable({ misses, of }: { misses: Record<MissReason, number>; of?: string }) {
  return (
    <Table<Row>
      caption={of ? `Misses of ${of} by reason` : 'Misses by reason'}
      columns={[
        {
          key: 'reason',
          header: 'Reason',
          rowHeader: true,
          cell: ({ word, meaning }) => (
            <>
              {word}
              <span className="block text-note text-muted">{meaning}</span>
            </>
          ),
        },
        { key: 'count', header: 'Misses', numeric: true, cell: ({ count }) => formatNumber(count) },
        {
          key: 'share',
          header: 'Share',
          numeric: true,
          cell: ({ share }) => <Figure value={share} format={formatShare} />,
        },
      ]}
      rows={missRows(misses)}
      rowKey={({ reason }) => reason}
    />
  )
}
