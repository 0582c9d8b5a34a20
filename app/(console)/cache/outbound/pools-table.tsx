import type { OutboundPool } from '@/components/cache/outbound-types'
import { Empty } from '@/components/ui/empty'
import { formatBytes, formatDuration, formatNumber, formatShare } from '@/components/ui/format'
import { type Column, Table } from '@/components/ui/table'
import { Mono } from '@/components/ui/text'

/** Pools with what each of their calls is held to. */
export function PoolsTable({ pools }: { pools: readonly OutboundPool[] }) {
  return (
    <Table<OutboundPool>
      caption="Pools"
      scroll="own"
      density="roomy"
      columns={columns}
      rows={pools}
      rowKey={({ name }) => name}
      empty={<Empty kind="no-data" title="There is no pool" />}
    />
  )
}

const columns: Column<OutboundPool>[] = [
  { key: 'name', header: 'Pool', rowHeader: true, cell: ({ name }) => <Mono>{name}</Mono> },
  limit('connections', 'Connections an origin', ({ connections }) => formatNumber(connections)),
  limit('waiting', 'Callers that may wait', ({ maxWaiting }) => formatNumber(maxWaiting)),
  limit(
    'timeouts',
    'Connect · headers · body',
    ({ connectTimeout, headersTimeout, bodyTimeout }) =>
      `${formatDuration(connectTimeout)} · ${formatDuration(headersTimeout)} · ${formatDuration(bodyTimeout)}`,
  ),
  limit('deadline', 'Whole call', ({ deadline }) => formatDuration(deadline)),
  limit('keep', 'Kept open', ({ keepAlive }) => formatDuration(keepAlive)),
  limit('size', 'Answer', ({ maxResponseBytes }) => formatBytes(maxResponseBytes)),
  limit(
    'retries',
    'Retries · of all calls',
    ({ retries, retryBudget }) => `${formatNumber(retries)} · ${formatShare(retryBudget)}`,
  ),
  limit(
    'breaker',
    'Breaker opens',
    ({ breaker }) => `after ${formatNumber(breaker.failures)}, for ${formatDuration(breaker.openMs)}`,
  ),
  { key: 'cache', header: 'Answers cached', cell: ({ cache }) => (cache ? 'as they allow' : 'no') },
]

function limit(key: string, header: string, write: (pool: OutboundPool) => string): Column<OutboundPool> {
  return { key, header, numeric: true, cell: write }
}
