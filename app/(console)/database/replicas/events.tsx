import type { Topology } from '@/components/database/types'
import { Empty } from '@/components/ui/empty'
import { Status, type StatusKind } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'

type TopologyEvent = Topology['events'][number]

const KINDS: Record<TopologyEvent['kind'], { kind: StatusKind; word: string }> = {
  'primary-lost': { kind: 'bad', word: 'Primary lost' },
  'primary-found': { kind: 'ok', word: 'Primary found' },
  'primary-changed': { kind: 'warn', word: 'Primary changed' },
  'stale-primary': { kind: 'warn', word: 'Old primary is back' },
  'replica-lost': { kind: 'warn', word: 'Replica lost' },
  'replica-back': { kind: 'ok', word: 'Replica is back' },
}

/** What changed among the nodes since this process started, the newest first. */
export function Events({ events }: { events: Topology['events'] }) {
  return (
    <Section title="What changed" note="since this process started">
      <Table<TopologyEvent>
        caption="Changes among the nodes, the newest first"
        scroll="own"
        columns={[
          { key: 'at', header: 'Time', rowHeader: true, cell: ({ at }) => <Time at={at} /> },
          {
            key: 'kind',
            header: 'What',
            className: 'whitespace-nowrap',
            cell: ({ kind }) => <Status kind={KINDS[kind].kind}>{KINDS[kind].word}</Status>,
          },
          { key: 'node', header: 'Node', cell: ({ node }) => <Mono>{node}</Mono> },
          { key: 'message', header: 'In words', className: 'min-w-60', cell: ({ message }) => message },
        ]}
        rows={events}
        rowKey={({ at, kind, node }) => `${at} ${kind} ${node}`}
        empty={<Empty kind="no-data" title="Nothing has changed" />}
      />
    </Section>
  )
}
