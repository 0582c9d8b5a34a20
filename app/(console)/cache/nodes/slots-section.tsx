import { useId } from 'react'
import type { NodeFacts } from '@/components/cache/types'
import { toCsv } from '@/components/charts/csv'
import { CsvButton } from '@/components/charts/csv-button'
import { Callout } from '@/components/ui/callout'
import { Empty } from '@/components/ui/empty'
import { formatCount, formatNumber, formatShare } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { SlotPatterns, SlotRect } from './slot-look'
import {
  gapsOf,
  ownersOf,
  rangesText,
  SLOTS,
  type SlotOwner,
  type SlotRange,
  sizeOf,
  slotRows,
  slotsSentence,
} from './slots'

/** Which primary serves which slots: a bar of all of them, and the same as a table. */
export function SlotsSection({ nodes }: { nodes: readonly NodeFacts[] }) {
  const id = useId()
  const owners = ownersOf(nodes)
  const gaps = gapsOf(owners)
  return (
    <Section
      title="Slots"
      note={`${formatNumber(SLOTS)} in all`}
      actions={<CsvButton of="Slots by primary" name="redis-slots" csv={() => toCsv(slotRows(owners))} />}
    >
      <SlotBar owners={owners} gaps={gaps} />
      <p className="mb-3 text-note text-muted">{slotsSentence(owners)}</p>
      {gaps.length > 0 ? (
        <div className="my-4">
          <Callout tone="bad" title={`${formatCount(sizeOf(gaps), 'slot')} served by no primary`}>
            Keys in them can’t be read or written in Redis: {rangesText(gaps)}.
          </Callout>
        </div>
      ) : null}
      <Table<SlotOwner>
        caption="Slots by primary"
        columns={[
          {
            key: 'number',
            header: 'In the bar',
            cell: ({ number }) => (
              <span className="inline-flex items-center gap-2">
                <svg width="24" height="14" aria-hidden="true">
                  <defs>
                    <SlotPatterns id={`${id}-${number}`} />
                  </defs>
                  <SlotRect id={`${id}-${number}`} number={number} x="0" y={0} width="24" height={14} />
                </svg>
                {number}
              </span>
            ),
          },
          {
            key: 'address',
            header: 'Primary',
            rowHeader: true,
            className: 'whitespace-nowrap',
            cell: ({ address, answers }) => (
              <>
                <Mono>{address}</Mono> {answers ? null : <Status kind="bad">No answer</Status>}
              </>
            ),
          },
          { key: 'ranges', header: 'Slots', cell: ({ ranges }) => rangesText(ranges) },
          { key: 'count', header: 'Count', numeric: true, cell: ({ slots }) => formatNumber(slots) },
          {
            key: 'share',
            header: 'Share',
            numeric: true,
            cell: ({ slots }) => formatShare(slots / SLOTS),
          },
        ]}
        rows={owners}
        rowKey={({ address }) => address}
        empty={<Empty kind="no-data" title="No primary serves a slot" />}
      />
    </Section>
  )
}

/** A number is written above a stretch where there is room for it. */
const NUMBERED = SLOTS * 0.03

function SlotBar({ owners, gaps }: { owners: readonly SlotOwner[]; gaps: readonly SlotRange[] }) {
  const id = useId()
  const sentence = owners
    .map(({ number, address, slots }) => `${number}: ${address}, ${formatNumber(slots)} slots`)
    .join('; ')
  const place = ({ from, to }: SlotRange) => ({
    x: percent(from),
    width: percent(to - from + 1),
    y: 18,
    height: 20,
  })
  return (
    <svg role="img" aria-label={`Slots by primary. ${sentence}`} width="100%" height="40" className="mb-1">
      <defs>
        <SlotPatterns id={id} />
      </defs>
      {owners.flatMap(({ number, ranges }) =>
        ranges.map((range) => (
          <g key={range.from}>
            <SlotRect id={id} number={number} {...place(range)} />
            {range.to - range.from + 1 >= NUMBERED ? (
              <text
                x={percent((range.from + range.to + 1) / 2)}
                y="13"
                textAnchor="middle"
                className="fill-text text-note"
              >
                {number}
              </text>
            ) : null}
          </g>
        )),
      )}
      {gaps.map((gap) => (
        <rect
          key={gap.from}
          {...place(gap)}
          className="fill-bg stroke-bad"
          strokeWidth="1.5"
          strokeDasharray="3 2"
        />
      ))}
    </svg>
  )
}

const percent = (slots: number) => `${(slots / SLOTS) * 100}%`
