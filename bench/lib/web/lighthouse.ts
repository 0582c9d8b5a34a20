import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from '../cache-folder'

/** The last major version that Node 20 runs. */
const VERSION = '12.8.2'
const CATEGORIES = ['performance', 'accessibility', 'best-practices'] as const
const run = promisify(execFile)

export type Scores = Record<(typeof CATEGORIES)[number], number>

/** Lighthouse's entry: installed once beside the other things that only measurements need, and no dependency. */
export async function installLighthouse(): Promise<string> {
  const folder = join(cacheFolder, 'lighthouse')
  const entry = join(folder, 'node_modules/lighthouse/cli/index.js')
  if (existsSync(entry)) return entry
  console.log(`installing lighthouse ${VERSION} in ${folder}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const args = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund']
  await run('npm', [...args, `lighthouse@${VERSION}`])
  return entry
}

/**
 * Scores of 0 to 100 of a page in the browser that listens on a port, with the cookies it has there. A recording that
 * Chromium broke off is made once more.
 */
export async function audit(entry: string, url: string, port: number): Promise<Scores> {
  const first = await report(entry, url, port)
  if (first.runtimeError?.code !== 'NO_NAVSTART') return scoresOf(first, url)
  console.log(`    once more: ${first.runtimeError.message}`)
  return scoresOf(await report(entry, url, port), url)
}

interface Report {
  runtimeError?: { code: string; message: string }
  finalDisplayedUrl: string
  categories: Record<string, { score: number; auditRefs: { id: string; weight: number }[] }>
  audits: Record<string, { score: number | null; title: string; displayValue?: string }>
}

/** Goes by a file: on what it prints, Lighthouse closes the pipe early when something went wrong. */
async function report(entry: string, url: string, port: number): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-lighthouse-'))
  const path = join(folder, 'report.json')
  try {
    await run(process.execPath, [
      ...[entry, url, `--port=${port}`, '--preset=desktop', '--disable-storage-reset'],
      ...[`--only-categories=${CATEGORIES.join(',')}`, '--output=json', `--output-path=${path}`],
      ...['--quiet', '--no-enable-error-reporting'],
    ]).catch((error) => {
      if (!existsSync(path)) throw error
    })
    return JSON.parse(readFileSync(path, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function scoresOf({ runtimeError, finalDisplayedUrl, categories, audits }: Report, url: string): Scores {
  if (runtimeError) throw new Error(`Lighthouse at ${url}: ${runtimeError.message}`)
  if (finalDisplayedUrl !== url) throw new Error(`Lighthouse was led from ${url} to ${finalDisplayedUrl}.`)
  for (const { id, weight } of Object.values(categories).flatMap(({ auditRefs }) => auditRefs)) {
    const { score = null, title = id, displayValue = '' } = audits[id] ?? {}
    if (weight > 0 && score !== null && score < 0.9) console.log(`    ${title}: ${score} ${displayValue}`)
  }
  return Object.fromEntries(
    CATEGORIES.map((name) => [name, Math.round((categories[name]?.score ?? 0) * 100)]),
  ) as Scores
}
