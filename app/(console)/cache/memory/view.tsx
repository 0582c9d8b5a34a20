'use client'

import { useQuery } from '@tanstack/react-query'
import { RedisOnly } from '@/components/cache/redis-only'
import type { Stats } from '@/components/cache/types'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { Field, Select } from '@/components/ui/field'
import { Skeleton } from '@/components/ui/skeleton'
import { PageHeader } from '@/components/ui/text'
import { RelativeTime } from '@/components/ui/time'
import { useUrlState } from '@/components/ui/url-state'
import { Biggest } from './biggest'
import { Groups } from './groups'
import { isWhole, sampledWords } from './words'

type Scope = 'ours' | 'all'

const LEAD = 'What takes the memory of Redis, from keys drawn at random.'

/** The biggest keys, and what each namespace takes, from a sample. */
export function MemoryView() {
  return (
    <RedisOnly header={<PageHeader title="Memory" lead={LEAD} />}>
      {(stats) => <Memory stats={stats} />}
    </RedisOnly>
  )
}

function Memory({ stats }: { stats: Stats }) {
  const trpc = useTRPC()
  const { params, change } = useUrlState()
  const scope: Scope = params.get('scope') === 'all' ? 'all' : 'ours'
  // A sample costs Redis some work: it is taken once, and again when asked for.
  const sample = useQuery(
    trpc.cache.sample.queryOptions(
      { scope },
      { staleTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false, refetchOnReconnect: false },
    ),
  )
  const { data, error } = sample
  return (
    <>
      <PageHeader
        title="Memory"
        lead={LEAD}
        actions={
          <Button onClick={() => sample.refetch()} busy={sample.isFetching}>
            Sample again
          </Button>
        }
      />
      <search className="mb-3 flex flex-wrap items-end gap-3">
        <Field label="Keys" className="w-56">
          <Select
            value={scope}
            onChange={({ target }) => change({ scope: target.value === 'all' ? 'all' : null }, 'replace')}
          >
            <option value="ours">Of this cache</option>
            <option value="all">Everything in Redis</option>
          </Select>
        </Field>
        <p role="status" className="flex min-h-8 items-center text-muted">
          {data && data.sampled > 0 ? sampledWords(data) : ''}
        </p>
        {data ? (
          <p className="flex min-h-8 items-center text-note text-muted">
            <RelativeTime at={data.at} />
          </p>
        ) : null}
      </search>
      {error ? (
        <div className="mb-4">
          <ErrorTile error={error} what="The sample" onRetry={() => sample.refetch()} />
        </div>
      ) : null}
      {data ? (
        data.sampled === 0 ? (
          <Empty
            kind="no-data"
            title={scope === 'ours' ? 'This cache has no key in Redis' : 'Redis is empty'}
            action={
              scope === 'ours' ? (
                <Button onClick={() => change({ scope: 'all' }, 'replace')}>
                  Look at everything in Redis
                </Button>
              ) : null
            }
          />
        ) : (
          <>
            <TileBoundary what="Groups">
              <Groups report={data} stats={stats} />
            </TileBoundary>
            <TileBoundary what="Biggest keys">
              <Biggest keys={data.biggest} scope={scope} whole={isWhole(data)} />
            </TileBoundary>
          </>
        )
      ) : error ? null : (
        <Skeleton className="h-96 w-full" label="Drawing keys" />
      )}
    </>
  )
}
