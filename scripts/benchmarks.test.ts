import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { benchmarksPage, type Result, readOutput } from './benchmarks.mjs'
import { MEASUREMENTS } from './measurements.mjs'

const root = join(import.meta.dirname, '..')
const result: Result = {
  ...{
    date: '2026-11-29',
    commit: '123456789',
    machine: '2 cores of Some CPU, 24 GiB',
    seconds: 95,
    status: 0,
  },
  ...{ versions: { Node: '20.20.2', Redis: '7.0.15' }, options: [], figures: {} },
}
/** The section of one measurement. */
const section = (page: string, name: string) => page.split(`### ${name}\n`)[1]?.split('\n#')[0] ?? ''
const bench = (name: string, more: Partial<Result>) =>
  section(benchmarksPage({ bench: { [name]: { ...result, ...more } } }), name)

describe('docs/benchmarks.md', () => {
  // UPDATE_DOCS=1 npx vitest run scripts/benchmarks.test.ts writes it anew, after a change of the words.
  it('is what the results beside it give', () => {
    const [page, results] = ['md', 'json'].map((ending) => join(root, 'docs', `benchmarks.${ending}`))
    const text = benchmarksPage(JSON.parse(readFileSync(String(results), 'utf8')))
    if (process.env.UPDATE_DOCS) writeFileSync(String(page), text)
    expect(readFileSync(String(page), 'utf8')).toBe(text)
  })

  it.each(['bench', 'chaos'] as const)('has a section for each %s that there is', (kind) => {
    const folder = join(root, kind === 'bench' ? 'bench' : 'bench/chaos')
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    expect(Object.keys(MEASUREMENTS[kind]).sort()).toEqual(files.map((name) => basename(name, '.ts')).sort())
  })

  it('tells when, where and with what each was measured, and whether it reached its bar', () => {
    const text = bench('cache', { figures: { get_100: 1.2, bytes_2k: 0.61, more: 3 } })
    expect(text).toContain(
      '`npm run bench -- cache` · 2026-11-29 · commit 123456789 · 2 cores of Some CPU, 24 GiB · Node 20.20.2 · Redis 7.0.15 · 2 min',
    )
    expect(text).toMatch(/^\| `get_100` \| 1\.2 \| ≥ 1 \| yes \| gets of 100 B/m)
    expect(text).toMatch(/^\| `bytes_2k` \| 0\.61 \| ≤ 0\.6 \| \*\*no\*\* \|/m)
    expect(text).toMatch(/^\| `set_100` \| not measured \| ≥ 1 \| \*\*no\*\* \|/m)
    expect(text).toMatch(/^\| `more` \| 3 \| {2}\| {2}\| {2}\|$/m)
  })

  it('says what failed, and what was never measured', () => {
    const failed = bench('cache', { status: 1, figures: null })
    expect(failed).toContain('**Failed** with exit status 1')
    expect(failed).not.toContain('|')
    expect(bench('cache', { status: 1, figures: { get_100: 2 } })).toMatch(
      /\*\*Failed\*\*[\s\S]*`get_100` \| 2/,
    )
    expect(section(benchmarksPage({}), 'web')).toContain('Not measured yet: `npm run bench -- web`.')
  })

  it('holds a figure against another one, and names options and seed', () => {
    const chaos = (recovered: number) =>
      benchmarksPage({
        chaos: {
          cache: {
            ...{ ...result, options: ['--rounds', '5'], seed: 7 },
            figures: { rounds: 5, recovered, thrown: 5 - recovered },
          },
        },
      })
    expect(chaos(5)).toMatch(/^\| `recovered` \| 5 \| rounds \| yes \|/m)
    expect(chaos(4)).toMatch(/^\| `recovered` \| 4 \| rounds \| \*\*no\*\* \|/m)
    expect(chaos(5)).toMatch(/^\| `thrown` \| 0 \| 0 \| yes \|/m)
    expect(chaos(4)).toMatch(/^\| `thrown` \| 1 \| 0 \| \*\*no\*\* \|/m)
    expect(chaos(5)).toMatch(/^`npm run chaos -- cache --rounds 5` · .* · seed 7 · /m)
  })
})

describe('the output of a measurement', () => {
  it('gives the figures of its last line, whatever else was printed', () => {
    const output = 'run 1\nBENCH web page_kb=1\nBENCH web-other page_kb=2\nBENCH web page_kb=229.5 cls=0\n'
    expect(readOutput('bench', 'web', output)).toEqual({ figures: { page_kb: 229.5, cls: 0 } })
  })

  it('gives the seed of chaos, on a line of its own, in words, or among the figures', () => {
    const cache = 'seed=31\nround 1\nCHAOS cache rounds=5 thrown=0\n'
    expect(readOutput('chaos', 'cache', cache)).toEqual({ figures: { rounds: 5, thrown: 0 }, seed: 31 })
    expect(readOutput('chaos', 'audit', '40 events: sound; seed 12\nCHAOS audit rounds=6\n').seed).toBe(12)
    expect(readOutput('chaos', 'sessions', 'CHAOS sessions rounds=3 lost=0 seed=1')).toEqual({
      ...{ figures: { rounds: 3, lost: 0 }, seed: 1 },
    })
  })

  it('gives no figures where it ended before', () => {
    expect(readOutput('bench', 'web', 'Error: no browser')).toEqual({ figures: null })
  })
})
