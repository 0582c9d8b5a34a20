import type { NodesReport } from '@/components/cache/types'
import { formatNumber } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import { KeyValue, Mono, Section } from '@/components/ui/text'
import { SLOTS } from './slots'

/** What the cluster says of itself. */
export function ClusterFacts({ cluster }: { cluster: NonNullable<NodesReport['cluster']> }) {
  const { state, slotsCovered, epoch, failing } = cluster
  return (
    <Section title="Cluster">
      <KeyValue
        items={[
          { label: 'State', value: <Status kind={state === 'ok' ? 'ok' : 'bad'}>{state}</Status> },
          {
            label: 'Slots served',
            value: (
              <Status kind={slotsCovered === SLOTS ? 'ok' : 'bad'}>
                {formatNumber(slotsCovered)} of {formatNumber(SLOTS)}
              </Status>
            ),
          },
          { label: 'Epoch', value: formatNumber(epoch) },
          {
            label: 'What is wrong',
            value:
              failing.length === 0 ? (
                'nothing'
              ) : (
                <ul>
                  {failing.map((what) => (
                    <li key={what}>
                      <Mono>{what}</Mono>
                    </li>
                  ))}
                </ul>
              ),
          },
        ]}
      />
    </Section>
  )
}
