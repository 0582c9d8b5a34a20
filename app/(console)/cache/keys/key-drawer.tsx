'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useMay } from '@/components/auth/use-may'
import type { KeyFacts, KeyValueFacts } from '@/components/cache/key-types'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { CopyButton } from '@/components/ui/copy-button'
import { Drawer } from '@/components/ui/drawer'
import { Empty } from '@/components/ui/empty'
import { errorFacts } from '@/components/ui/error-facts'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { Figure } from '@/components/ui/figure'
import { formatBytes, formatDuration } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { KeyValue, type KeyValueItem, Mono } from '@/components/ui/text'
import { RelativeTime, Time } from '@/components/ui/time'
import { DeleteKeysDialog } from './delete-keys-dialog'
import { entryFacts, KeyContent } from './key-content'
import { TtlForm } from './ttl-form'
import { shownWords, ttlWords, typeWords } from './words'

/** One key with its value, and what an operator can do with it. */
export function KeyDrawer({
  id,
  onChange,
  onClose,
}: {
  /** From the address; null when it is closed. */
  id: string | null
  /** Told what became of the key: deleted is null. */
  onChange: (key: string, facts: KeyFacts | null) => void
  onClose: () => void
}) {
  const trpc = useTRPC()
  const { operate } = useMay('cache')
  const [deleting, setDeleting] = useState<string>()
  const value = useQuery(
    trpc.cache.key.queryOptions(
      { key: id ?? '' },
      {
        enabled: id !== null && id !== '',
        // Opened again it is read again: nothing old is shown of a key that may have gone.
        ...{ staleTime: 0, gcTime: 0, retry: false, refetchOnWindowFocus: false },
      },
    ),
  )
  const gone = errorFacts(value.error).code === 'NOT_FOUND'
  const data = gone ? undefined : value.data
  return (
    <>
      <Drawer
        open={id !== null}
        onClose={onClose}
        title="Key"
        subtitle={
          data ? (
            <>
              {typeWords[data.type]}, read <RelativeTime at={value.dataUpdatedAt} />
            </>
          ) : undefined
        }
        footer={
          data ? (
            <>
              <Button onClick={() => value.refetch()}>Read again</Button>
              {operate ? (
                <Button variant="danger" onClick={() => setDeleting(data.key)}>
                  Delete the key…
                </Button>
              ) : null}
            </>
          ) : undefined
        }
      >
        {id === null ? null : (
          <div className="mb-4 flex items-start justify-between gap-2">
            <Mono className="pt-1.5">{id}</Mono>
            <CopyButton text={id} label="Copy the key" />
          </div>
        )}
        {data ? (
          <TileBoundary what="The key" key={data.key}>
            <Detail of={data} readAt={value.dataUpdatedAt} operate={operate} onChange={onChange} />
          </TileBoundary>
        ) : gone || id === '' ? (
          <Empty kind="no-match" title="There is no such key">
            It was deleted, or its time was over.
          </Empty>
        ) : value.error ? (
          <ErrorTile error={value.error} what="The key" onRetry={() => value.refetch()} />
        ) : (
          <Skeleton className="h-64 w-full" label="Reading the key" />
        )}
      </Drawer>
      {deleting === undefined ? null : (
        <DeleteKeysDialog
          keys={[deleting]}
          onDeleted={() => {
            onChange(deleting, null)
            onClose()
          }}
          onClose={() => setDeleting(undefined)}
        />
      )}
    </>
  )
}

function Detail({
  of,
  readAt,
  operate,
  onChange,
}: {
  of: KeyValueFacts
  readAt: number
  operate: boolean
  onChange: (key: string, facts: KeyFacts | null) => void
}) {
  const { content } = of
  return (
    <>
      <KeyValue items={[...facts(of, readAt), ...(content.kind === 'entry' ? entryFacts(content) : [])]} />
      {operate ? <TtlForm of={of} onChange={onChange} /> : null}
      <section aria-label="Value" className="mt-6">
        <h3 className="font-medium">Value</h3>
        <p className="mb-2 text-muted">{shownWords(of)}</p>
        <KeyContent of={content} />
      </section>
    </>
  )
}

function facts({ ttl, bytes, encoding, idleSeconds }: KeyValueFacts, readAt: number): KeyValueItem[] {
  return [
    {
      label: 'Time to live',
      value: (
        <>
          {ttlWords(ttl)}
          {ttl === null ? null : (
            <span className="text-muted">
              , until <Time at={readAt + ttl} />
            </span>
          )}
        </>
      ),
    },
    { label: 'Memory in Redis', value: <Figure value={bytes} format={formatBytes} /> },
    { label: 'Encoding', value: encoding ?? <span className="text-muted">n/a</span> },
    {
      label: 'Last used',
      value:
        idleSeconds === null ? (
          <span className="text-muted">n/a</span>
        ) : (
          `${formatDuration(idleSeconds * 1000)} before it was read`
        ),
    },
  ]
}
