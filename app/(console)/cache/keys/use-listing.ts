'use client'

import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { KeyFacts, KeyPage } from '@/components/cache/key-types'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { type Changed, joined } from './listing'
import { inputOf, type Place } from './place'

/** A walk to the end rests after so many keys: a table of more is no help. */
const KEYS_A_WALK = 1_000

/** What came after the first page, and what was changed since; another first page makes it void. */
interface Later {
  first: KeyPage
  pages: readonly KeyPage[]
  changed: Changed
  failure?: { error: unknown }
}

/** Keys of one place, a page at a time. It is read once: a list that is walked through does not move by itself. */
export function useListing(place: Place) {
  const client = useTRPCClient()
  const input = inputOf(place)
  const first = useQuery(
    useTRPC().cache.keys.queryOptions(input, {
      staleTime: Number.POSITIVE_INFINITY,
      ...{ refetchOnWindowFocus: false, refetchOnReconnect: false, retry: false },
    }),
  )
  const { data } = first
  const [kept, setKept] = useState<Later>()
  const later = kept?.first === data ? kept : undefined
  const [walking, setWalking] = useState(false)
  const walk = useRef<object>(undefined)

  const list = useMemo(
    () => data && joined([data, ...(later?.pages ?? [])], later?.changed ?? new Map()),
    [data, later],
  )

  const stop = () => {
    walk.current = undefined
    setWalking(false)
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: another first page is another list, which nobody walks yet
  useEffect(() => stop, [data])

  const put = (of: KeyPage, next: (later: Later) => Later) =>
    setKept((now) => next(now?.first === of ? now : { first: of, pages: [], changed: new Map() }))

  /** The next page, or pages until the end, until it is stopped, or until there are many. */
  async function goOn(toEnd = false) {
    if (!data || !list?.cursor) return
    const own = {}
    walk.current = own
    setWalking(toEnd)
    let cursor: string | null = list.cursor
    let listed = 0
    try {
      do {
        const page: KeyPage = await client.cache.keys.query({ ...input, cursor })
        if (walk.current !== own) return
        put(data, (now) => ({ ...now, pages: [...now.pages, page], failure: undefined }))
        cursor = page.cursor
        listed += page.keys.length
      } while (toEnd && cursor && listed < KEYS_A_WALK)
    } catch (error) {
      if (walk.current === own) put(data, (now) => ({ ...now, failure: { error } }))
    }
    if (walk.current === own) stop()
  }

  /** Keys that were deleted (null) or changed from here. */
  function change(changes: Iterable<readonly [string, KeyFacts | null]>) {
    if (data) put(data, (now) => ({ ...now, changed: new Map([...now.changed, ...changes]) }))
  }
  return { first, list, failure: later?.failure, goOn, walking, stop, change }
}

export type KeyListing = ReturnType<typeof useListing>
