'use client'

import { FilterBar, FilterChoice, FilterText, useUrlFilter } from '@/components/ui/filter-bar'
import { type Attention, attentionOrder, type TableFilter } from './choose'

const attentionWords: Record<Attention, string> = {
  vacuum: 'Due for vacuum',
  unanalysed: 'Never analysed',
  invalid: 'Invalid index',
  sequential: 'Large, read whole more often than by index',
}

export const useTableFilter = () =>
  useUrlFilter<TableFilter>((params) => ({
    text: params.get('text') ?? '',
    attention: attentionOrder.find((each) => each === params.get('attention')) ?? null,
  }))

/** `vacuums`: whether the database is one that vacuums and counts how tables are read. */
export function TableFilterBar({ count, vacuums }: { count: string; vacuums: boolean }) {
  const { filter, set, clear, any } = useTableFilter()
  return (
    <FilterBar count={count} any={any} onClear={clear}>
      <FilterText
        label="Table or index"
        value={filter.text}
        onChange={(text) => set({ text })}
        className="w-full sm:w-60"
      />
      {vacuums ? (
        <FilterChoice
          label="Attention"
          value={filter.attention}
          all="All tables"
          words={attentionOrder}
          nameOf={(attention) => attentionWords[attention]}
          onChange={(attention) => set({ attention })}
          className="w-full sm:w-60"
        />
      ) : null}
    </FilterBar>
  )
}
