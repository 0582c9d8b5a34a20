'use client'

import { useState } from 'react'
import { useMay } from '@/components/auth/use-may'
import type { Stats } from '@/components/cache/types'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { errorFacts } from '@/components/ui/error-facts'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatCount, formatNumber } from '@/components/ui/format'
import { Progress } from '@/components/ui/progress'
import { Skeleton } from '@/components/ui/skeleton'
import { Section } from '@/components/ui/text'
import { useDrawer, useSort } from '@/components/ui/url-state'
import { DeleteKeysDialog } from './delete-keys-dialog'
import { KeyDrawer } from './key-drawer'
import { KeysTable } from './keys-table'
import type { Listing } from './listing'
import { PlaceBar } from './place-bar'
import { type KeyListing, useListing } from './use-listing'
import type { usePlace } from './use-place'

type At = ReturnType<typeof usePlace>
type Place = At['place']
type Ways = Omit<At, 'place'>

/** The tree of keys: one folder at a time, page by page, and the key that is open. */
export function Keys({ stats, at }: { stats: Stats; at: At }) {
  const { place, ...ways } = at
  const { operate } = useMay('cache')
  const listing = useListing(place)
  const { sort, onSort } = useSort({ by: 'name', direction: 'asc' })
  const drawer = useDrawer('key')
  const { first, list } = listing
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
  const [deleting, setDeleting] = useState<readonly string[]>()
  // Only what is in sight can be chosen: another folder, or a deletion, leaves the rest behind.
  const chosen = new Set(list?.keys.map(({ key }) => key).filter((key) => picked.has(key)))
  return (
    <Section
      title="Keys"
      actions={
        <>
          {operate && chosen.size > 0 ? (
            <>
              <Button onClick={() => setPicked(new Set())}>Select none</Button>
              <Button variant="danger" onClick={() => setDeleting([...chosen])}>
                {`Delete ${formatCount(chosen.size, 'key')}…`}
              </Button>
            </>
          ) : null}
          <Button onClick={() => first.refetch()} busy={first.isRefetching}>
            Scan anew
          </Button>
        </>
      }
    >
      <PlaceBar place={place} own={stats.prefix} ways={ways} />
      {first.error ? <ErrorTile error={first.error} what="Keys" onRetry={() => first.refetch()} /> : null}
      {list ? (
        <>
          <Scanned key={`${place.scope} ${place.prefix} ${place.match}`} list={list} listing={listing} />
          <KeysTable
            list={list}
            sort={sort}
            onSort={onSort}
            onFolder={ways.open}
            onKey={drawer.open}
            opened={drawer.id}
            chosen={operate ? chosen : undefined}
            onChoose={setPicked}
            empty={<Nothing list={list} place={place} ways={ways} />}
          />
        </>
      ) : first.error ? null : (
        <Skeleton className="h-96 w-full" label="Scanning keys" />
      )}
      <KeyDrawer
        id={drawer.id}
        onChange={(key, facts) => listing.change([[key, facts]])}
        onClose={drawer.close}
      />
      {deleting ? (
        <DeleteKeysDialog
          keys={deleting}
          onDeleted={(keys) => listing.change(keys.map((key) => [key, null] as const))}
          onClose={() => setDeleting(undefined)}
        />
      ) : null}
    </Section>
  )
}

/** How far the walk over the keys has come, and the ways on. */
function Scanned({ list, listing }: { list: Listing; listing: KeyListing }) {
  const { scanned, total, cursor, folders, keys } = list
  const { first, failure, goOn, walking, stop } = listing
  const over = errorFacts(failure?.error).code === 'BAD_INPUT'
  return (
    <div className="mb-3">
      <Progress
        label="Keys scanned"
        showLabel={false}
        value={cursor === null ? 1 : scanned}
        max={cursor === null ? 1 : Math.max(total, 1)}
        detail={
          <span role="status">
            {cursor === null
              ? `Scanned all ${formatCount(total, 'key')}`
              : `Scanned ${formatNumber(scanned)} of about ${formatCount(total, 'key')}`}
            {`: ${formatCount(folders.length, 'folder')}, ${formatCount(keys.length, 'key')} here`}
          </span>
        }
      />
      {cursor === null ? null : (
        <div className="mt-2 flex flex-wrap gap-2">
          {walking ? (
            <Button onClick={stop}>Stop</Button>
          ) : (
            <>
              <Button onClick={() => goOn()}>Go on</Button>
              <Button onClick={() => goOn(true)} title="Rests after 1,000 more keys">
                Go on to the end
              </Button>
            </>
          )}
        </div>
      )}
      {failure ? (
        <div className="mt-2">
          <ErrorTile
            error={failure.error}
            what="The next keys"
            onRetry={() => (over ? first.refetch() : goOn())}
          />
        </div>
      ) : null}
    </div>
  )
}

function Nothing({ list, place, ways }: { list: Listing; place: Place; ways: Ways }) {
  if (list.cursor !== null) return <Empty kind="no-match" title="Nothing found so far: go on scanning" />
  if (place.match !== '')
    return (
      <Empty
        kind="no-match"
        title="No key fits the filter"
        action={<Button onClick={() => ways.filter('')}>Clear the filter</Button>}
      />
    )
  return (
    <Empty
      kind="no-data"
      title="There are no keys here"
      action={
        place.scope === 'ours' && place.prefix === '' ? (
          <Button onClick={() => ways.go({ scope: 'all', prefix: '', match: '' })}>
            Look at everything in Redis
          </Button>
        ) : null
      }
    />
  )
}
