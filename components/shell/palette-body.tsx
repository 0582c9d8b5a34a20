'use client'

import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Command } from 'cmdk'
import { useRouter } from 'next/navigation'
import { type RefObject, useEffect, useRef, useState } from 'react'
import { useTRPC } from '@/components/trpc/trpc'
import { SearchIcon } from '@/components/ui/icons'
import type { RouterOutputs } from '@/server/routers/_app'
import { PAGE_ACTIONS } from './actions'
import { AREAS, subPagesOf } from './pages'
import type { PaletteEntry } from './palette'
import { ranked } from './palette-rank'

const PAGES: readonly PaletteEntry[] = AREAS.flatMap((area) => [
  { id: `go-${area.href}`, group: 'Go to', label: area.label, href: area.href, hint: `g ${area.key}` },
  // The area's own address is there already.
  ...subPagesOf(area.href)
    .filter(({ href }) => href !== area.href)
    .map(({ href, label }) => ({
      ...{ id: `go-${href}`, group: 'Go to', label: `${area.label}: ${label}`, href },
      // Whoever types the page's own name means the page before any action on it.
      keywords: [label],
    })),
])

type Found = RouterOutputs['system']['search'][number]

const GROUPS: Record<Found['kind'], string> = {
  user: 'Users',
  run: 'Runs',
  'api key': 'API keys',
  namespace: 'Cache namespaces',
}

const NAMES_CHOICE = 'aria-activedescendant'

/** Letters from which on the server is asked, and how long nothing more must be typed before. */
const LEAST_LETTERS = 2
const PAUSE_MS = 150

/** The list inside the palette's dialog. The server is asked for nothing before somebody types. */
export function PaletteBody({ commands, onDone }: { commands: readonly PaletteEntry[]; onDone: () => void }) {
  const router = useRouter()
  const [text, setText] = useState('')
  const found = useFound(text)
  const actions = useActions()
  const groups = ranked([...PAGES, ...actions, ...commands, ...found.entries], text)
  const first = groups[0]?.entries[0]?.id ?? ''
  const [selected, setSelected] = useState(first)
  const moved = useRef(false)
  const root = useRef<HTMLDivElement>(null)
  useTellChoice(root)
  // What comes from the server later must not be passed over by Enter, unless somebody has chosen already.
  useEffect(() => {
    if (!moved.current) setSelected(first)
  }, [first])
  const select = (entry: PaletteEntry) => {
    onDone()
    if (entry.href !== undefined) router.push(entry.href)
    else entry.run()
  }
  return (
    <Command
      ref={root}
      label="Search and commands"
      loop
      shouldFilter={false}
      value={selected}
      onValueChange={setSelected}
      onKeyDown={({ key }) => {
        moved.current = key === 'ArrowDown' || key === 'ArrowUp'
      }}
      className="flex max-h-[60dvh] flex-col"
    >
      <div className="flex items-center gap-2 border-b border-border px-4">
        <SearchIcon className="text-muted" />
        <Command.Input
          // By itself when it comes over the wire, by the dialog when it is there already.
          autoFocus
          data-autofocus
          value={text}
          onValueChange={setText}
          maxLength={100}
          placeholder="A page, an action, a user, run, key or namespace"
          className="h-12 w-full bg-transparent text-lead outline-none placeholder:text-muted"
        />
      </div>
      {groups.length === 0 ? (
        <p role="status" className="px-4 pt-5 pb-3 text-muted">
          {found.looking ? 'Looking…' : 'Nothing has that name.'}
        </p>
      ) : null}
      <Command.List className="min-h-0 overflow-y-auto py-2" label="Results">
        {groups.map(({ name, entries }) => (
          <Command.Group
            key={name}
            heading={name}
            className="[&_[cmdk-group-heading]]:px-4 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-note [&_[cmdk-group-heading]]:text-muted"
          >
            {entries.map((entry) => (
              <Command.Item
                key={entry.id}
                value={entry.id}
                onSelect={() => select(entry)}
                className="flex h-9 cursor-pointer items-center justify-between gap-4 border-l-2 border-l-transparent px-4 data-[selected=false]:forced:border-l-[Canvas] data-[selected=true]:border-l-accent data-[selected=true]:bg-wash"
              >
                <span className="truncate">{entry.label}</span>
                {entry.hint ? <span className="shrink-0 text-note text-muted">{entry.hint}</span> : null}
              </Command.Item>
            ))}
          </Command.Group>
        ))}
      </Command.List>
    </Command>
  )
}

/**
 * Tells assistive technology which option is chosen: cmdk tells it only of choices that are made by its own keys, and
 * else names an option that is gone.
 */
function useTellChoice(root: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = root.current
    if (!element) return
    const tell = () => {
      const chosen = element.querySelector('[cmdk-item][aria-selected="true"]')?.id
      for (const told of element.querySelectorAll('[cmdk-input], [cmdk-list]')) {
        if (chosen === undefined) told.removeAttribute(NAMES_CHOICE)
        else if (told.getAttribute(NAMES_CHOICE) !== chosen) told.setAttribute(NAMES_CHOICE, chosen)
      }
    }
    const watch = new MutationObserver(tell)
    const attributeFilter = ['aria-selected', NAMES_CHOICE]
    watch.observe(element, { subtree: true, childList: true, attributes: true, attributeFilter })
    tell()
    return () => watch.disconnect()
  }, [root])
}

/** What the user may do on any page. */
function useActions(): PaletteEntry[] {
  const { data: me } = useQuery(useTRPC().auth.me.queryOptions())
  return PAGE_ACTIONS.filter(({ permission }) => !permission || me?.permissions.includes(permission)).map(
    ({ label, href, keywords }) => ({ id: `do-${href}`, group: 'Actions', label, href, keywords }),
  )
}

/** Users, runs, keys and namespaces whose name holds a text, once it stands for a moment. */
function useFound(text: string): { entries: PaletteEntry[]; looking: boolean } {
  const trpc = useTRPC()
  const typed = text.trim()
  const [sought, setSought] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => setSought(typed), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [typed])
  const enabled = sought.length >= LEAST_LETTERS
  const { data, isFetching } = useQuery(
    trpc.system.search.queryOptions({ text: sought }, { enabled, placeholderData: keepPreviousData }),
  )
  if (typed.length < LEAST_LETTERS) return { entries: [], looking: false }
  const entries = (data ?? []).map(({ kind, id, label, note, href }) => {
    return { id: `${kind}-${id}`, group: GROUPS[kind], label, hint: note ?? undefined, href, found: true }
  })
  return { entries, looking: isFetching || typed !== sought }
}
