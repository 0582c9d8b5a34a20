'use client'

import { Command } from 'cmdk'
import { useRouter } from 'next/navigation'
import { SearchIcon } from '@/components/ui/icons'
import { AREAS, subPagesOf } from './pages'
import type { PaletteEntry } from './palette'

const PAGES: readonly PaletteEntry[] = AREAS.flatMap((area) => [
  { id: `go-${area.href}`, group: 'Go to', label: area.label, href: area.href, hint: `g ${area.key}` },
  // The area's own address is there already.
  ...subPagesOf(area.href)
    .filter(({ href }) => href !== area.href)
    .map(({ href, label }) => ({ id: `go-${href}`, group: 'Go to', label: `${area.label}: ${label}`, href })),
])

/** The list inside the palette's dialog. */
export function PaletteBody({ entries, onDone }: { entries: readonly PaletteEntry[]; onDone: () => void }) {
  const router = useRouter()
  const all = [...PAGES, ...entries]
  const groups = [...new Set(all.map((entry) => entry.group))]
  const select = (entry: PaletteEntry) => {
    onDone()
    if (entry.href !== undefined) router.push(entry.href)
    else entry.run()
  }
  return (
    <Command label="Search and commands" loop className="flex max-h-[60dvh] flex-col">
      <div className="flex items-center gap-2 border-b border-border px-4">
        <SearchIcon className="text-muted" />
        <Command.Input
          autoFocus
          placeholder="Go to a page, run a command"
          className="h-12 w-full bg-transparent text-lead outline-none placeholder:text-muted"
        />
      </div>
      <Command.List className="min-h-0 overflow-y-auto py-2" label="Results">
        <Command.Empty className="px-4 py-3 text-muted">Nothing has that name.</Command.Empty>
        {groups.map((group) => (
          <Command.Group
            key={group}
            heading={group}
            className="[&_[cmdk-group-heading]]:px-4 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-note [&_[cmdk-group-heading]]:text-muted"
          >
            {all
              .filter((entry) => entry.group === group)
              .map((entry) => (
                <Command.Item
                  key={entry.id}
                  value={entry.id}
                  keywords={[entry.label, ...(entry.keywords ?? [])]}
                  onSelect={() => select(entry)}
                  className="flex h-9 cursor-pointer items-center justify-between gap-4 border-l-2 border-l-transparent px-4 data-[selected=true]:border-l-accent data-[selected=true]:bg-wash"
                >
                  <span className="truncate">{entry.label}</span>
                  {entry.hint ? <span className="text-note text-muted">{entry.hint}</span> : null}
                </Command.Item>
              ))}
          </Command.Group>
        ))}
      </Command.List>
    </Command>
  )
}
