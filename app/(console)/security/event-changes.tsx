'use client'

import { Table } from '@/components/ui/table'
import { Mono } from '@/components/ui/text'
import { type Change, changesOf } from './changes'

const marks: Record<Change['kind'], { sign: string; word: string; className: string }> = {
  same: { sign: '=', word: 'unchanged', className: 'text-muted' },
  changed: { sign: '≠', word: 'changed', className: 'text-warn' },
  added: { sign: '+', word: 'added', className: 'text-ok' },
  removed: { sign: '−', word: 'removed', className: 'text-bad' },
}

/** What an event says of the state before and after, as a difference. */
export function Changes({ before, after }: { before: string | null; after: string | null }) {
  const changes = changesOf(before, after)
  const both = before !== null && after !== null
  const title = both ? 'What changed' : before === null ? 'What it says' : 'What was there before'
  return (
    <section>
      <h3 className="mb-2 font-medium">{title}</h3>
      <Table
        caption={title}
        columns={[
          { key: 'path', header: 'Field', rowHeader: true, cell: ({ path }) => <Mono>{path}</Mono> },
          ...(both
            ? [
                {
                  key: 'kind',
                  header: '',
                  cell: ({ kind }: Change) => (
                    <span className={marks[kind].className} title={marks[kind].word}>
                      <span aria-hidden="true">{marks[kind].sign}</span>
                      <span className="sr-only">{marks[kind].word}</span>
                    </span>
                  ),
                },
              ]
            : []),
          ...(before === null
            ? []
            : [{ key: 'before', header: 'Before', cell: (each: Change) => <Value text={each.before} /> }]),
          ...(after === null
            ? []
            : [
                {
                  key: 'after',
                  header: both ? 'After' : 'Value',
                  cell: (each: Change) => <Value text={each.after} />,
                },
              ]),
        ]}
        rows={changes}
        rowKey={({ path }) => path}
      />
    </section>
  )
}

const Value = ({ text }: { text: string | undefined }) =>
  text === undefined ? <span className="text-muted">none</span> : <Mono>{text}</Mono>
