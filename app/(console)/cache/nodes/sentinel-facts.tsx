import type { NodesReport } from '@/components/cache/types'
import { formatCount, formatNumber } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import { KeyValue, Mono, Section } from '@/components/ui/text'

/** What the Sentinels say of the primary. */
export function SentinelFacts({ sentinel }: { sentinel: NonNullable<NodesReport['sentinel']> }) {
  const { master, quorum, sentinels, state } = sentinel
  const good = state === 'ok' || state === 'master'
  const enough = sentinels >= quorum
  return (
    <Section title="Sentinel">
      <KeyValue
        items={[
          { label: 'Name of the primary', value: <Mono>{master}</Mono> },
          {
            label: 'What they say of it',
            value: <Status kind={good ? 'ok' : 'bad'}>{good ? 'It is well' : state}</Status>,
          },
          {
            label: 'Sentinels that watch it',
            value: (
              <>
                {enough ? (
                  formatNumber(sentinels)
                ) : (
                  <>
                    <Status kind="warn">{formatNumber(sentinels)}</Status>
                    <span className="block text-muted">Too few to agree on a new primary.</span>
                  </>
                )}
              </>
            ),
          },
          { label: 'Must agree that it is down', value: formatCount(quorum, 'Sentinel') },
        ]}
      />
    </Section>
  )
}
