import { StatementLink } from '@/components/database/statement-link'
import type { OfferedAdvice } from '@/components/database/types'
import { formatCount } from '@/components/ui/format'
import { Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'

/** Statements that were looked at and get no index, each with its reason; folded, as most are in order. */
export function UnadvisedSection({ of: { none } }: { of: OfferedAdvice }) {
  if (none.length === 0) return null
  return (
    <Section title="Statements without advice">
      <details className="border-y border-border py-2">
        <summary className="min-h-6">
          Why no index is advised for {formatCount(none.length, 'statement')}
        </summary>
        <div className="mt-2">
          <Table
            caption="Statements without advice, with the reason"
            density="roomy"
            columns={[
              {
                key: 'statement',
                header: 'Statement',
                className: 'w-1/2',
                cell: ({ fingerprint, text }) => (
                  <span className="block min-w-52">
                    <StatementLink fingerprint={fingerprint} text={text} />
                  </span>
                ),
              },
              {
                key: 'because',
                header: 'Reason',
                cell: ({ because }) => <span className="block min-w-52">{because}</span>,
              },
            ]}
            rows={none}
            rowKey={({ fingerprint }) => fingerprint}
          />
        </div>
      </details>
    </Section>
  )
}
