import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { benchLine, median } from './lib/measure'
import { audit, installLighthouse, type Scores } from './lib/web/lighthouse'
import { type Loaded, load } from './lib/web/load'
import { openWebScene, type WebScene } from './lib/web/scene'
import { measureTicks } from './lib/web/ticks'

/**
 * What pages cost in the browser: JavaScript transferred, requests, times of the first load, script of a live tick, and
 * Lighthouse's scores. The built console on SQLite, with a completed migration; Chromium with an empty cache each time.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '20' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('Usage: npm run bench -- web [--runs 5] [--seconds 20]')
  process.exit(0)
}

const runs = Number(values.runs)
const scene = await openWebScene()
const PAGES = [
  ...['/', '/database', '/database/sessions', '/database/queries', '/database/indexes', '/database/tables'],
  ...['/cache', '/cache/keys', '/cache/nodes', '/cache/memory', '/security', '/security/activity'],
  ...['/security/findings', '/security/alerts', '/security/blocks', '/security/users', '/security/sessions'],
  ...['/migration', '/migration/new', scene.runPath, '/account', '/system', '/system/configuration'],
  ...['/database?range=1h', '/cache?range=1h'],
]
try {
  console.log(`${availableParallelism()} cores; ${runs} loads of each page`)
  // First, as a browser that has been at work for a quarter of an hour records no trace for it now and then.
  const least = await lighthouse(scene)
  const signIn = await loads(scene.fresh, '/sign-in')
  const others: Loaded[] = []
  for (const path of PAGES) others.push(await loads(scene.signedIn, path))
  const most = (pages: Loaded[], of: (page: Loaded) => number) => Math.max(...pages.map(of))
  const charted = others.filter(({ charts }) => charts)
  const plain = others.filter(({ charts }) => !charts)
  const all = [signIn, ...others]
  const ticks: number[] = []
  for (const path of ['/', '/cache', '/database?range=1h']) ticks.push(await ticksOf(path))
  console.log(
    benchLine('web', {
      signin_kb: signIn.scriptKb,
      page_kb: most(plain, ({ scriptKb }) => scriptKb),
      charts_kb: most(charted, ({ scriptKb }) => scriptKb),
      lighthouse_min: least,
      tick_ms: Math.max(...ticks),
      lcp_ms: most(all, ({ lcp }) => lcp),
      tbt_ms: most(all, ({ tbt }) => tbt),
      cls: most(all, ({ cls }) => cls),
      inp_ms: most(all, ({ inp }) => inp),
      requests: most(all, ({ requests }) => requests),
    }),
  )
} finally {
  await scene.stop()
}

async function loads(context: WebScene['fresh'], path: string): Promise<Loaded> {
  const each: Loaded[] = []
  for (let run = 1; run <= runs; run++) each.push(await load(await context(), path))
  const of = (figure: (page: Loaded) => number) => median(each.map(figure))
  const page = {
    scriptKb: of(({ scriptKb }) => scriptKb),
    requests: of(({ requests }) => requests),
    lcp: of(({ lcp }) => lcp),
    tbt: of(({ tbt }) => tbt),
    cls: of(({ cls }) => cls),
    inp: of(({ inp }) => inp),
    charts: each.some(({ charts }) => charts),
  }
  console.log(
    `${path}${page.charts ? ' (charts)' : ''}: ${page.scriptKb.toFixed(0)} KB of script, ${page.requests} requests, ` +
      `LCP ${page.lcp.toFixed(0)} ms, TBT ${page.tbt.toFixed(0)} ms, CLS ${page.cls.toFixed(3)}, INP ${page.inp.toFixed(0)} ms`,
  )
  return page
}

async function ticksOf(path: string): Promise<number> {
  const each: number[] = []
  for (let run = 1; run <= runs; run++)
    each.push(await measureTicks(await scene.signedIn(), path, Number(values.seconds)))
  console.log(`script of a tick on ${path}: ${each.map((ms) => ms.toFixed(1)).join(', ')} ms`)
  return median(each)
}

/** The least score of any page in any category: medians of the runs. */
async function lighthouse({ url, runPath, debuggingPort, byDefault }: WebScene): Promise<number> {
  const entry = await installLighthouse()
  const scores: number[] = []
  for (const path of ['/sign-in', '/', '/database', '/security', runPath]) {
    await byDefault(path !== '/sign-in')
    const each: Scores[] = []
    for (let run = 1; run <= runs; run++) each.push(await audit(entry, `${url}${path}`, debuggingPort))
    const medians = (['performance', 'accessibility', 'best-practices'] as const).map((name) =>
      median(each.map((scored) => scored[name])),
    )
    console.log(`Lighthouse, ${path}: ${medians.join(', ')} in performance, accessibility, best practices`)
    scores.push(...medians)
  }
  return Math.min(...scores)
}
