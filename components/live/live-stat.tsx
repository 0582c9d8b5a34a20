'use client'

import { useState } from 'react'
import { Sparkline } from '@/components/charts/sparkline'
import {
  bytesParts,
  durationParts,
  formatNumber,
  formatShare,
  type Parts,
  type Reading,
} from '@/components/ui/format'
import { Stat, type StatProps } from '@/components/ui/stat'
import type { MetricName, Sample } from './types'

/** How many samples the line beside a figure shows: a minute. */
const LINE = 60

export type LiveStatProps = {
  metric: MetricName
  samples: readonly Sample[]
  /** The top of the line, where the scale is known. */
  max?: number
} & Pick<StatProps, 'label' | 'note' | 'unit' | 'href' | 'tone'>

/** One metric of the live stream: figure, age and a minute's line. It stands still under the pointer. */
export function LiveStat({ metric, samples, max, ...stat }: LiveStatProps) {
  const [held, setHeld] = useState<readonly Sample[] | null>(null)
  const shown = held ?? samples
  const last = shown.at(-1)
  const line = shown.slice(-LINE).map(({ values }) => values[metric])
  return (
    <Stat
      {...stat}
      metric={metric}
      value={last?.values[metric]}
      format={formatOf(metric)}
      at={last?.at}
      onHold={(hold) => setHeld(hold ? samples : null)}
    >
      {line.some((value) => value !== null) ? <Sparkline values={line} max={max} /> : null}
    </Stat>
  )
}

/** Writes a metric by the base unit in its name. */
export function formatOf(metric: MetricName): (value: Reading) => Parts {
  if (metric.endsWith('_seconds')) return (value) => durationParts(value == null ? value : value * 1000)
  if (metric.endsWith('_bytes')) return bytesParts
  if (metric.endsWith('_ratio')) return shareParts
  return numberParts
}

export function shareParts(value: Reading): Parts {
  const [figure = '', unit] = formatShare(value).split(' ')
  return unit ? { figure, unit } : { figure: formatShare(value) }
}

function numberParts(value: Reading): Parts {
  const small = typeof value === 'number' && value < 10 && !Number.isInteger(value)
  return { figure: formatNumber(value, small ? 1 : 0) }
}
