import type { Stats } from '@/components/cache/types'
import { isWell } from '@/components/cache/words'
import { Callout, type CalloutTone } from '@/components/ui/callout'
import { formatCount } from '@/components/ui/format'

const TITLES: Record<Exclude<Stats['state'], 'redis'>, { tone: CalloutTone; title: string }> = {
  degraded: { tone: 'warn', title: 'A part of Redis is away: memory answers for it' },
  memory: { tone: 'bad', title: 'Redis is away: memory answers' },
  probing: { tone: 'busy', title: 'Redis was away: it is being tried' },
}

/** While the cache isn't well: why, what happens meanwhile, what to do. */
export function StateCallout({ stats }: { stats: Stats }) {
  const { state, reason, place, pendingKeys } = stats
  if (isWell(stats) || state === 'redis') return null
  const { tone, title } = TITLES[state]
  return (
    <div className="mb-6">
      <Callout tone={tone} title={title}>
        {reason ? <p>{reason}</p> : null}
        <p>
          {pendingKeys > 0
            ? `${formatCount(pendingKeys, 'key')} changed meanwhile and ${pendingKeys === 1 ? 'waits' : 'wait'} to be deleted in Redis.`
            : 'No key has changed meanwhile.'}{' '}
          Nothing fails, but instances don’t share what each of them keeps.
        </p>
        <p>
          {`What to do: see that Redis runs and can be reached${place ? ` at ${place}` : ''}. Holdfast goes back to it by itself.`}
        </p>
      </Callout>
    </div>
  )
}
