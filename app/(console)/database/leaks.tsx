import type { PoolDetail } from '@/components/database/types'
import { Callout } from '@/components/ui/callout'
import { Empty } from '@/components/ui/empty'
import { formatCount, formatDuration } from '@/components/ui/format'
import { CodeBlock, Mono, Section } from '@/components/ui/text'

/** Connections that were borrowed and not given back in time, with where in the code that was. */
export function Leaks({ leaks, after }: { leaks: PoolDetail['leaks']; after: number }) {
  return (
    <Section
      title="Borrowed for too long"
      note={after === 0 ? undefined : `more than ${formatDuration(after)}`}
    >
      {leaks.length === 0 ? (
        after === 0 ? (
          <Empty kind="not-enabled" title="Loans are not watched" />
        ) : (
          <Empty kind="no-data" title="Every connection came back in time" />
        )
      ) : (
        <>
          <Callout tone="warn" title={`${formatCount(leaks.length, 'connection')} held`}>
            Whoever borrowed it has not given it back: each one is missing to all others.
          </Callout>
          <ul className="mt-3 border-t border-border">
            {leaks.map(({ heldMs, stack }, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the oldest first; a leak has no name of its own
              <li key={at} className="border-b border-border">
                <details>
                  <summary className="flex min-h-10 cursor-pointer flex-wrap items-center gap-x-4 py-1">
                    <span className="tabular-nums">held for {formatDuration(heldMs)}</span>
                    <Mono className="min-w-0 text-muted">{stack[0] ?? 'by an unknown borrower'}</Mono>
                  </summary>
                  <div className="pb-3">
                    <CodeBlock label="Stack of the borrower" wrap>
                      {stack.join('\n')}
                    </CodeBlock>
                  </div>
                </details>
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  )
}
