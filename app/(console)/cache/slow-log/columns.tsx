import type { SlowCommand } from '@/components/cache/types'
import { MISSING } from '@/components/ui/format'
import type { Column } from '@/components/ui/table'
import { Mono } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { formatMicroseconds } from './threshold'

/** Nodes number their commands each for itself. */
export const commandKey = ({ node, id }: SlowCommand) => `${node} ${id}`

export const slowColumns: Column<SlowCommand>[] = [
  {
    key: 'at',
    header: 'Time',
    rowHeader: true,
    className: 'whitespace-nowrap',
    cell: ({ at }) => <Time at={at} />,
  },
  { key: 'took', header: 'Took', numeric: true, cell: ({ took }) => formatMicroseconds(took) },
  {
    key: 'command',
    header: 'Command',
    className: 'min-w-60',
    cell: ({ command }) => <span className="line-clamp-2 font-mono text-note wrap-anywhere">{command}</span>,
  },
  {
    key: 'node',
    header: 'Node',
    className: 'whitespace-nowrap',
    cell: ({ node }) => <Mono>{node}</Mono>,
  },
  {
    key: 'client',
    header: 'Client',
    className: 'whitespace-nowrap',
    cell: ({ client }) =>
      client === null ? <span className="text-muted">{MISSING}</span> : <Mono>{client}</Mono>,
  },
]
