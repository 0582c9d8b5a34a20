import type { KeyFacts, KeyFolder, KeyPage } from '@/components/cache/key-types'
import type { Sort } from '@/components/ui/table'

export interface Listing {
  folders: KeyFolder[]
  keys: KeyFacts[]
  scanned: number
  total: number
  /** Null when everything was scanned. */
  cursor: string | null
}

/** A key as it is known now, where that differs from the page that told it; null: deleted since. */
export type Changed = ReadonlyMap<string, KeyFacts | null>

export type Row = { kind: 'folder'; folder: KeyFolder } | { kind: 'key'; facts: KeyFacts }

/** Pages as one list: folders with the counts of all pages, and every key once, as SCAN may tell one twice. */
export function joined(pages: readonly KeyPage[], changed: Changed): Listing {
  const folders = new Map<string, KeyFolder>()
  const keys = new Map<string, KeyFacts>()
  for (const page of pages) {
    for (const folder of page.folders) {
      const counted = folders.get(folder.prefix)?.keys ?? 0
      folders.set(folder.prefix, { ...folder, keys: counted + folder.keys })
    }
    for (const facts of page.keys) keys.set(facts.key, facts)
  }
  for (const [key, facts] of changed) {
    if (facts === null) keys.delete(key)
    else if (keys.has(key)) keys.set(key, { ...facts, name: keys.get(key)?.name ?? facts.name })
  }
  const last = pages.at(-1)
  return {
    folders: [...folders.values()],
    keys: [...keys.values()],
    scanned: last?.scanned ?? 0,
    total: last?.total ?? 0,
    cursor: last?.cursor ?? null,
  }
}

const figures: Record<string, (facts: KeyFacts) => number | null> = {
  // For ever is longer than any time.
  ttl: ({ ttl }) => ttl ?? Number.MAX_SAFE_INTEGER,
  bytes: ({ bytes }) => bytes,
}

/** Folders first, by name or by their keys; then the keys in the asked order. */
export function rowsOf({ folders, keys }: Listing, { by, direction }: Sort): Row[] {
  const sign = direction === 'desc' ? -1 : 1
  const figure = Object.hasOwn(figures, by) ? figures[by] : undefined
  const byName = by === 'name' ? sign : 1
  const ofFolders = [...folders].sort((a, b) => byName * compare(a.prefix, b.prefix))
  const ofKeys = [...keys].sort((a, b) => {
    const [one, other] = figure ? [figure(a), figure(b)] : [0, 0]
    if (one === null || other === null) return Number(one === null) - Number(other === null)
    return sign * (one - other) || byName * compare(a.key, b.key)
  })
  return [
    ...ofFolders.map((folder): Row => ({ kind: 'folder', folder })),
    ...ofKeys.map((facts): Row => ({ kind: 'key', facts })),
  ]
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
