'use client'

import clsx from 'clsx'
import type { KeyboardEvent, ReactNode } from 'react'
import { ScrollRegion } from './scroll-region'

export type Column<Row> = {
  key: string
  header: ReactNode
  cell: (row: Row) => ReactNode
  /** Right aligned, tabular. */
  numeric?: boolean
  /** The column that names the row (th scope=row); the first one if none says so. */
  rowHeader?: boolean
  /** Sortable through `sort`. */
  sortable?: boolean
  /** Long text that may be cut; give the column a width class such as `w-1/2`. */
  truncate?: boolean
  className?: string
}

export type Sort = { by: string; direction: 'asc' | 'desc' }

export type TableProps<Row> = {
  /** Names the table for assistive technology. */
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  rowKey: (row: Row) => string
  /** Stands in place of rows: an <Empty …>. */
  empty?: ReactNode
  /** 32 px rows, or 40. */
  density?: 'compact' | 'roomy'
  sort?: Sort
  onSort?: (sort: Sort) => void
  /** Opens a row's detail, by click or keyboard. `selected` marks the one that is open. */
  onOpen?: (row: Row) => void
  selected?: string
  /** Mark a row: a rule at its left edge. */
  rowTone?: (row: Row) => 'bad' | 'warn' | undefined
  /** `page`: the header sticks below the strip on a desk. `own`: at most 60 % of the window, scrolls by itself. */
  scroll?: 'page' | 'own'
}

/** The ledger: hairlines between rows, figures at the right, the header in sight. */
export function Table<Row>({
  caption,
  columns,
  rows,
  rowKey,
  empty,
  density = 'compact',
  sort,
  onSort,
  onOpen,
  selected,
  rowTone,
  scroll = 'page',
}: TableProps<Row>) {
  const headerKey = (columns.find((column) => column.rowHeader) ?? columns[0])?.key
  const height = density === 'compact' ? 'h-8' : 'h-10'
  return (
    <ScrollRegion
      label={caption}
      className={clsx('relative', scroll === 'own' ? 'max-h-[60dvh] overflow-y-auto' : 'xl:overflow-visible')}
    >
      <table className="w-full border-separate border-spacing-0 text-left">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                aria-sort={
                  sort?.by === column.key
                    ? sort.direction === 'asc'
                      ? 'ascending'
                      : 'descending'
                    : undefined
                }
                className={clsx(
                  'z-1 h-8 border-b border-text/40 bg-bg px-3 text-note font-medium text-muted first:pl-2 last:pr-2',
                  scroll === 'own' ? 'sticky top-0' : 'xl:sticky xl:top-10',
                  column.numeric ? 'text-right' : 'text-left',
                  'whitespace-nowrap',
                  column.className,
                )}
              >
                {column.sortable && onSort ? (
                  <SortButton column={column} sort={sort} onSort={onSort} />
                ) : (
                  column.header
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={onOpen ? moveBetweenRows : undefined}>
          {rows.map((row) => {
            const key = rowKey(row)
            const tone = rowTone?.(row)
            return (
              <tr
                key={key}
                aria-current={selected === key ? 'true' : undefined}
                className={clsx(
                  'group',
                  onOpen && 'cursor-pointer hover:bg-wash',
                  selected === key && 'bg-wash',
                )}
                onClick={onOpen ? () => openUnlessSelecting(() => onOpen(row)) : undefined}
              >
                {columns.map((column) => {
                  const named = column.key === headerKey
                  const Cell = named ? 'th' : 'td'
                  return (
                    <Cell
                      key={column.key}
                      scope={named ? 'row' : undefined}
                      className={clsx(
                        height,
                        'border-b border-border px-3 py-1 font-normal first:border-l-2 first:pl-1.5 last:pr-2',
                        tone === 'bad'
                          ? 'first:border-l-bad'
                          : tone === 'warn'
                            ? 'first:border-l-warn'
                            : 'first:border-l-transparent forced:first:border-l-[Canvas]',
                        column.numeric ? 'whitespace-nowrap text-right tabular-nums' : 'text-left',
                        column.truncate && 'max-w-0 truncate',
                        column.className,
                      )}
                    >
                      {named && onOpen ? (
                        <button
                          type="button"
                          data-row-open=""
                          className={clsx(
                            'min-h-6 max-w-full text-left underline decoration-border underline-offset-4 group-hover:decoration-current',
                            column.truncate && 'truncate',
                          )}
                          onClick={(event) => {
                            event.stopPropagation()
                            onOpen(row)
                          }}
                        >
                          {column.cell(row)}
                        </button>
                      ) : (
                        column.cell(row)
                      )}
                    </Cell>
                  )
                })}
              </tr>
            )
          })}
        </tbody>
      </table>
      {rows.length === 0 && empty ? <div className="border-b border-border">{empty}</div> : null}
    </ScrollRegion>
  )
}

function SortButton<Row>({
  column,
  sort,
  onSort,
}: {
  column: Column<Row>
  sort?: Sort
  onSort: (sort: Sort) => void
}) {
  const active = sort?.by === column.key
  const direction =
    active && sort?.direction === 'desc' ? 'asc' : active ? 'desc' : column.numeric ? 'desc' : 'asc'
  return (
    <button
      type="button"
      className={clsx(
        'inline-flex h-6 items-center gap-1 hover:text-text',
        active && 'text-text',
        column.numeric && 'flex-row-reverse',
      )}
      onClick={() => onSort({ by: column.key, direction })}
    >
      {column.header}
      <svg viewBox="0 0 8 8" className={clsx('size-2', !active && 'opacity-0')} aria-hidden="true">
        <path d={sort?.direction === 'asc' ? 'M4 1 7.5 7h-7z' : 'M4 7 .5 1h7z'} fill="currentColor" />
      </svg>
    </button>
  )
}

/** A drag that selects text to copy is not a click on the row. */
function openUnlessSelecting(open: () => void): void {
  if (document.getSelection()?.type !== 'Range') open()
}

/** Up, Down, Home and End walk the rows. */
function moveBetweenRows(event: KeyboardEvent<HTMLTableSectionElement>): void {
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-row-open]')]
  const at = buttons.indexOf(document.activeElement as HTMLElement)
  if (at < 0) return
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key]
  if (to === undefined) return
  event.preventDefault()
  buttons[Math.min(Math.max(to, 0), buttons.length - 1)]?.focus()
}
