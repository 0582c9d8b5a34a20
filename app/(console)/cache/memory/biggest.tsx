import { keyHref } from '@/components/cache/keys-href'
import type { SampledKey } from '@/components/cache/types'
import { Figure, ShareBar } from '@/components/ui/figure'
import { formatBytes, formatDuration } from '@/components/ui/format'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'

/** The biggest keys among those that were looked at; each leads to its value. */
export function Biggest({
  keys,
  scope,
  whole,
}: {
  keys: readonly SampledKey[]
  scope: 'ours' | 'all'
  whole: boolean
}) {
  const most = Math.max(...keys.map(({ bytes }) => bytes ?? 0), 1)
  return (
    <Section title="Biggest keys" note={whole ? undefined : 'among those drawn'}>
      <Table<SampledKey>
        caption="Biggest keys"
        columns={[
          {
            key: 'key',
            header: 'Key',
            rowHeader: true,
            className: 'min-w-48',
            cell: ({ key }) => (
              <Link
                href={keyHref(key, scope)}
                className={`inline-block min-h-6 py-0.5 font-mono text-note wrap-anywhere ${plainLink}`}
              >
                {key}
              </Link>
            ),
          },
          { key: 'type', header: 'Type', cell: ({ type }) => type },
          {
            key: 'ttl',
            header: 'Time left',
            numeric: true,
            cell: ({ ttl }) => (ttl === null ? 'for ever' : formatDuration(ttl)),
          },
          {
            key: 'bytes',
            header: 'Memory',
            numeric: true,
            cell: ({ bytes }) => (
              <span className="inline-flex items-center gap-2">
                <ShareBar share={(bytes ?? 0) / most} className="w-20 max-sm:hidden" />
                <Figure value={bytes} format={formatBytes} />
              </span>
            ),
          },
        ]}
        rows={keys}
        rowKey={({ key }) => key}
      />
    </Section>
  )
}
