'use client'

import { FilterBar, FilterChoice, FilterText, useUrlFilter } from '@/components/ui/filter-bar'
import { kindOrder, type StatementFilter, type StatementKind } from './choose'

const kindWords: Record<StatementKind, string> = { read: 'Reads', write: 'Writes', other: 'Others' }

export const useStatementFilter = () =>
  useUrlFilter<StatementFilter>((params) => ({
    text: params.get('text') ?? '',
    kind: kindOrder.find((kind) => kind === params.get('kind')) ?? null,
  }))

export function StatementFilterBar({ count }: { count: string }) {
  const { filter, set, clear, any } = useStatementFilter()
  return (
    <FilterBar count={count} any={any} onClear={clear}>
      <FilterText
        label="Text of the statement"
        value={filter.text}
        onChange={(text) => set({ text })}
        className="w-full sm:w-72"
      />
      <FilterChoice
        label="Kind"
        value={filter.kind}
        all="All statements"
        words={kindOrder}
        nameOf={(kind) => kindWords[kind]}
        onChange={(kind) => set({ kind })}
        className="w-40"
      />
    </FilterBar>
  )
}
