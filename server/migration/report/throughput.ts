import type { Speeds } from '../runs/speeds'
import { html, type Markup } from './markup'

const WIDTH = 600
const HEIGHT = 80
/** A step this many times longer than usual is a gap: the run stood still, or its console was away. */
const GAP = 2.5

/** How fast the transfer was over its time, as two lines; nothing for one that was too short, or of an older release. */
export function throughputPart(speeds: Speeds | undefined): Markup | null {
  const { at = [], bytesPerSecond = [], rowsPerSecond = [], everyMs = 0 } = speeds ?? {}
  if (at.length < 2) return null
  const line = (name: string, values: readonly number[], words: (value: number) => string) => html`<figure>
<figcaption>${name}: between ${words(Math.min(...values))} and ${words(Math.max(...values))}, a point each ${everyMs / 1000} s</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${name}"><path d="M0 ${HEIGHT}h${WIDTH}" class="axis"/><path d="${pathOf(at, values, everyMs)}"/></svg>
</figure>`
  return html`<h2>Throughput</h2>
${line('Rows', rowsPerSecond, (value) => `${value.toLocaleString('en')} rows/s`)}
${line('Data', bytesPerSecond, (value) => `${(value / 1e6).toFixed(2)} MB/s`)}`
}

function pathOf(at: readonly number[], values: readonly number[], everyMs: number): string {
  const [first = 0, last = 1] = [at[0], at.at(-1)]
  const greatest = Math.max(1, ...values)
  return at
    .map((time, i) => {
      const x = ((time - first) / Math.max(1, last - first)) * WIDTH
      const y = HEIGHT - ((values[i] ?? 0) / greatest) * (HEIGHT - 2) - 1
      const begins = i === 0 || time - (at[i - 1] ?? 0) > everyMs * GAP
      return `${begins ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
    })
    .join('')
}
