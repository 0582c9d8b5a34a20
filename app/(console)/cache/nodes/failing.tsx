import type { NodeFacts } from '@/components/cache/types'
import { Callout } from '@/components/ui/callout'
import { formatCount } from '@/components/ui/format'
import { Mono } from '@/components/ui/text'

/** Nodes that don't answer, each with why. */
export function Failing({ nodes }: { nodes: readonly NodeFacts[] }) {
  const failing = nodes.filter(({ error }) => error !== null)
  if (failing.length === 0) return null
  return (
    <div className="mb-6">
      <Callout
        tone="bad"
        title={`${formatCount(failing.length, 'node')} of ${nodes.length} ${failing.length === 1 ? 'does' : 'do'} not answer`}
      >
        <ul>
          {failing.map(({ address, error }) => (
            <li key={address}>
              <Mono>{address}</Mono>: {error}
            </li>
          ))}
        </ul>
      </Callout>
    </div>
  )
}
