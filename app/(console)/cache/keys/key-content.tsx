import { useId } from 'react'
import type { KeyContent as Content } from '@/components/cache/key-types'
import { CopyButton } from '@/components/ui/copy-button'
import { Empty } from '@/components/ui/empty'
import { formatBytes, formatShare } from '@/components/ui/format'
import { type Column, Table } from '@/components/ui/table'
import { type KeyValueItem, Mono } from '@/components/ui/text'
import { Time } from '@/components/ui/time'

type Entry = Extract<Content, { kind: 'entry' }>

/** What an entry of this cache says of itself. */
export function entryFacts({
  codec,
  rawBytes,
  storedBytes,
  tags,
  writtenAt,
  staleUntil,
}: Entry): KeyValueItem[] {
  const share = rawBytes === 0 ? null : storedBytes / rawBytes
  return [
    { label: 'Codec', value: codec },
    {
      label: 'Bytes, raw · stored',
      value: (
        <>
          {formatBytes(rawBytes)} · {formatBytes(storedBytes)}
          {share === null ? null : <span className="text-muted"> ({formatShare(share)})</span>}
        </>
      ),
    },
    {
      label: 'Tags',
      value: tags.length > 0 ? <Mono>{tags.join(', ')}</Mono> : <span className="text-muted">none</span>,
    },
    { label: 'Written', value: <Time at={writtenAt} /> },
    { label: 'May be served stale until', value: <Time at={staleUntil} /> },
  ]
}

const formats = { json: 'JSON, laid out', text: 'Text', bytes: 'Bytes, as hex' }

/** The value of a key, by its type. */
export function KeyContent({ of }: { of: Content }) {
  switch (of.kind) {
    case 'entry':
      return <ValueText text={of.text} />
    case 'string':
      return (
        <>
          <p className="mb-1 text-note text-muted">{formats[of.format]}</p>
          <ValueText text={of.text} wrap={of.format !== 'bytes'} />
        </>
      )
    case 'hash':
      return (
        <Elements caption="Fields" heads={['Field', 'Value']} rows={pairs(of.fields)} copied={of.fields} />
      )
    case 'list':
      return (
        <Elements
          caption="Items"
          heads={['Place', 'Item']}
          rows={of.items.map((item, at) => [String(at), item])}
          copied={of.items}
        />
      )
    case 'set':
      return (
        <Elements
          caption="Members"
          heads={['Member']}
          rows={of.members.map((member) => [member])}
          copied={of.members}
        />
      )
    case 'zset':
      return (
        <Elements
          caption="Members by score"
          heads={['Score', 'Member']}
          rows={of.members.map(({ member, score }) => [scoreWords(score), member])}
          copied={of.members}
        />
      )
    case 'stream':
      return (
        <Elements
          caption="Entries"
          heads={['Id', 'Fields']}
          rows={of.entries.map(({ id, fields }) => [id, fieldLines(fields)])}
          copied={of.entries}
        />
      )
    case 'other':
      return (
        <Empty kind="not-enabled" title={`Values of the type ${of.type} are not shown`}>
          A module of Redis keeps them in a form of its own.
        </Empty>
      )
  }
}

type Field = { field: string; value: string }
const pairs = (fields: readonly Field[]) => fields.map(({ field, value }) => [field, value])
const fieldLines = (fields: readonly Field[]) =>
  fields.map(({ field, value }) => `${field}: ${value}`).join('\n')

/** JSON has no infinity: such a score comes as null. */
const scoreWords = (score: number | null) => (score === null ? 'infinite' : String(score))

function ValueText({ text, wrap = true }: { text: string; wrap?: boolean }) {
  const id = useId()
  if (text === '') return <p className="text-muted">The value is empty.</p>
  return (
    <div className="flex items-start gap-1 border-y border-border bg-wash">
      <section
        aria-label="Text of the value"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        className="max-h-[60dvh] min-w-0 flex-1 overflow-auto"
      >
        <pre
          className={`px-3 py-2 font-mono text-note ${wrap ? 'whitespace-pre-wrap wrap-anywhere' : 'whitespace-pre'}`}
        >
          <code id={id}>{text}</code>
        </pre>
      </section>
      <CopyButton text={text} textId={id} label="Copy the value" />
    </div>
  )
}

interface Line {
  at: string
  cells: readonly string[]
}

/** Elements of a collection; what is copied is JSON. */
function Elements({
  caption,
  heads,
  rows,
  copied,
}: {
  caption: string
  heads: readonly string[]
  rows: readonly (readonly string[])[]
  copied: unknown
}) {
  return (
    <>
      <div className="flex justify-end">
        <CopyButton text={JSON.stringify(copied, null, 2)} label="Copy what is shown as JSON" />
      </div>
      <Table<Line>
        caption={caption}
        scroll="own"
        columns={heads.map((header, at): Column<Line> => {
          const last = at === heads.length - 1
          return {
            key: header,
            header,
            className: last ? 'w-full' : undefined,
            cell: ({ cells }) => (
              <span
                className={`block font-mono text-note wrap-anywhere whitespace-pre-wrap ${last ? 'min-w-32' : 'min-w-24'}`}
              >
                {cells[at] === '' ? <span className="text-muted">(empty)</span> : cells[at]}
              </span>
            ),
          }
        })}
        rows={rows.map((cells, at) => ({ at: String(at), cells }))}
        rowKey={({ at }) => at}
        empty={<Empty kind="no-data" title="It has no elements" />}
      />
    </>
  )
}
