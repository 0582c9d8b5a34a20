'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useMay } from '@/components/auth/use-may'
import { ClearDialog } from '@/components/cache/clear-dialog'
import type { ClearTarget } from '@/components/cache/key-types'
import { NoRedis } from '@/components/cache/redis-only'
import type { Stats } from '@/components/cache/types'
import { isWell, MODES, stateWord } from '@/components/cache/words'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { Mono, PageHeader } from '@/components/ui/text'
import { Keys } from './keys'
import { Namespaces } from './namespaces'
import { PatternDialog } from './pattern-dialog'
import { patternOf } from './place'
import { usePlace } from './use-place'

/** Namespaces of the cache, and every key in Redis. */
export function KeysView() {
  const stats = useQuery(useTRPC().cache.stats.queryOptions(undefined, { refetchInterval: 5_000 }))
  const { manage } = useMay('cache')
  const at = usePlace()
  const [clearing, setClearing] = useState<ClearTarget>()
  const [byPattern, setByPattern] = useState(false)
  const { data } = stats
  const redis = data !== undefined && data.mode !== 'memory'
  return (
    <>
      <PageHeader
        title="Namespaces and keys"
        lead={data ? <Lead of={data} /> : undefined}
        actions={
          manage && data ? (
            <>
              {redis ? <Button onClick={() => setByPattern(true)}>Delete by pattern…</Button> : null}
              <Button onClick={() => setClearing({ scope: 'ours' })}>Clear…</Button>
            </>
          ) : undefined
        }
      />
      {data ? (
        <>
          {redis && !isWell(data) ? <Away of={data} /> : null}
          <TileBoundary what="Namespaces">
            <Namespaces
              stats={data}
              onOpen={redis ? (prefix) => at.go({ scope: 'ours', prefix, match: '' }) : undefined}
              onClear={manage ? (namespace) => setClearing({ scope: 'namespace', namespace }) : undefined}
            />
          </TileBoundary>
          {redis ? (
            <TileBoundary what="Keys">
              <Keys stats={data} at={at} />
            </TileBoundary>
          ) : (
            <div className="mt-8 border-t border-border">
              <NoRedis />
            </div>
          )}
        </>
      ) : stats.error ? (
        <ErrorTile error={stats.error} what="The cache" onRetry={() => stats.refetch()} />
      ) : (
        <Skeleton className="h-96 w-full" label="Reading the cache" />
      )}
      {clearing ? <ClearDialog target={clearing} onClose={() => setClearing(undefined)} /> : null}
      {byPattern && data ? (
        <PatternDialog
          start={{ scope: at.place.scope, pattern: patternOf(at.place, data.prefix) }}
          own={data.prefix}
          onClose={() => setByPattern(false)}
        />
      ) : null}
    </>
  )
}

function Lead({ of }: { of: Stats }) {
  const { kind, word } = stateWord(of)
  return (
    <span className="flex flex-wrap items-baseline gap-x-3">
      <Status kind={kind}>{word}</Status>
      {of.place ? (
        <>
          <span>{MODES[of.mode]}</span>
          <Mono>{of.place}</Mono>
          <span>
            keys of this cache begin with <Mono>{of.prefix}</Mono>
          </span>
        </>
      ) : null}
    </span>
  )
}

function Away({ of: { state, reason } }: { of: Stats }) {
  return (
    <Callout
      tone="warn"
      title={state === 'degraded' ? 'A part of Redis is away' : 'Redis is away: its keys cannot be seen now'}
    >
      {reason}
    </Callout>
  )
}
