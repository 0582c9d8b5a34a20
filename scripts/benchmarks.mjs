// What docs/benchmarks.md says: read from what a measurement printed, kept in docs/benchmarks.json, written from that.
import { MEASUREMENTS } from './measurements.mjs'

/**
 * The figures of the last `BENCH name key=value …` or `CHAOS …` line of an output, and the seed wherever it is named;
 * figures are null where there is no such line.
 */
export function readOutput(kind, name, output) {
  const start = `${kind.toUpperCase()} ${name} `
  const line = output.split('\n').findLast((each) => each.startsWith(start))
  const seed = kind === 'chaos' ? /\bseed[= ](\d+)/.exec(output)?.[1] : undefined
  const pairs = [...(line ?? '').matchAll(/(\w+)=(-?[\d.]+(?:e-?\d+)?|NaN)(?= |$)/g)]
  const figures = pairs.filter(([, key]) => key !== 'seed').map(([, key, value]) => [key, Number(value)])
  return { figures: line ? Object.fromEntries(figures) : null, ...(seed && { seed: Number(seed) }) }
}

/** The page, from the kept results alone. What was never measured, or failed, is said. */
export function benchmarksPage(results) {
  const parts = [
    '# Benchmarks and chaos',
    '`npm run bench` and `npm run chaos` measure everything below and write this page; nothing in it is written by hand. Each section is the last run without options (or with `--record`) on the machine that it names, with nothing else at work there. Ratios are of two sides measured in turn in one run. A bar is what Holdfast is held to, not what others reach.',
    '## Benchmarks',
    ...sections('bench', results),
    '## Chaos',
    'Rounds of faults at random under load; the seed repeats them.',
    ...sections('chaos', results),
  ]
  return `${parts.join('\n\n')}\n`
}

function sections(kind, results) {
  return Object.entries(MEASUREMENTS[kind]).flatMap(([name, { what, figures }]) => {
    const result = results[kind]?.[name]
    const head = [`### ${name}`, what]
    if (!result) return [...head, `Not measured yet: \`npm run ${kind} -- ${name}\`.`]
    const failed = result.status === 0 ? [] : [`**Failed** with exit status ${result.status}.`]
    const rows = result.figures ? [table(figures, result.figures)] : []
    return [...head, circumstances(kind, name, result), ...failed, ...rows]
  })
}

function circumstances(kind, name, { date, commit, machine, versions, options, seed, seconds }) {
  const command = [`npm run ${kind} -- ${name}`, ...options].join(' ')
  const took = seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
  const with_ = Object.entries(versions).map(([what, version]) => `${what} ${version}`)
  const sown = seed === undefined ? [] : [`seed ${seed}`]
  return `\`${command}\` · ${[date, `commit ${commit}`, machine, ...with_, ...sown, took].join(' · ')}`
}

function table(described, figures) {
  const names = new Set([...Object.keys(described), ...Object.keys(figures)])
  const rows = [...names].map((name) => {
    const [meaning = '', bar] = described[name] ?? []
    const value = figures[name]
    const told = value === undefined ? 'not measured' : String(value)
    return `| \`${name}\` | ${told} | ${bar ?? ''} | ${verdict(value, bar, figures)} | ${meaning} |`
  })
  return ['| Figure | Measured | Bar | Reached | What it is |', '|---|---|---|---|---|', ...rows].join('\n')
}

/** A bar is `≥ number`, `≤ number`, a number, or the name of a figure that it has to be equal to. */
function verdict(value, bar, figures) {
  if (bar === undefined) return ''
  const [, sign, limit] = /^([≥≤]?) ?([\d.]+)$/.exec(bar) ?? [undefined, '', figures[bar]]
  const [least, most] = { '≥': [limit, Infinity], '≤': [-Infinity, limit], '': [limit, limit] }[sign]
  return value >= Number(least) && value <= Number(most) ? 'yes' : '**no**'
}
