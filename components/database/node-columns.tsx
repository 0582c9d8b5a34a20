import { Status } from '@/components/ui/status'
import type { Column } from '@/components/ui/table'
import { Mono } from '@/components/ui/text'
import { nodeName, ROLES } from './node-words'
import type { NodeFigures } from './types'

/** With these every table of nodes begins: which one, and what it is. */
export const nodeColumns: Column<NodeFigures>[] = [
  {
    key: 'node',
    header: 'Node',
    rowHeader: true,
    className: 'whitespace-nowrap',
    cell: (node) => <Mono>{nodeName(node)}</Mono>,
  },
  {
    key: 'role',
    header: 'Role',
    className: 'whitespace-nowrap',
    cell: ({ role }) => <Status kind={ROLES[role].kind}>{ROLES[role].word}</Status>,
  },
]
