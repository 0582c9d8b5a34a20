import type { Stats } from '@/components/cache/types'
import { STATES } from '@/components/cache/words'
import { Empty } from '@/components/ui/empty'
import { MISSING } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'

type Change = Stats['changes'][number]

/** When the state changed, the newest first. */
export function Changes({ changes }: { changes: readonly Change[] }) {
  return (
    <Section title="Changes of state" note="since this process started, 50 at most">
      <Table<Change>
        caption="Changes of state, the newest first"
        scroll="own"
        columns={[
          { key: 'at', header: 'Time', rowHeader: true, cell: ({ at }) => <Time at={at} /> },
          { key: 'from', header: 'From', cell: ({ from }) => <State of={from} /> },
          { key: 'to', header: 'To', cell: ({ to }) => <State of={to} /> },
          {
            key: 'reason',
            header: 'Why',
            className: 'min-w-60',
            cell: ({ reason }) => reason ?? <span className="text-muted">{MISSING}</span>,
          },
        ]}
        rows={changes}
        rowKey={({ at, from, to }) => `${at} ${from} ${to}`}
        empty={<Empty kind="no-data" title="The state has not changed" />}
      />
    </Section>
  )
}

function State({ of }: { of: Stats['state'] }) {
  return <Status kind={STATES[of].kind}>{STATES[of].word}</Status>
}
