// npm run mutation [-- NAME…]: changes pure modules in small ways, one at a time, and counts how many of the changes
// a test notices. What none has noticed is listed by file and line; constants of modules are left out.
import path from 'node:path'
import { checkNode, Failure, fail, install, root } from './lib.mjs'

/** What is mutated: modules that need no server, whose tests take less than a second. */
const MODULES = {
  tokens: ['server/security/tokens/{doubtful-token,opaque-token,signatures,token-shape,tokens}.ts'],
  factors: ['server/security/factors/{backup-codes,passkey-challenge,totp}.ts'],
  audit: ['server/audit/{chain,checkpoint,digests,genuine,judge,landmarks,ranges,thinning,verdict,walk}.ts'],
  limits: ['server/security/limits/{network,words}.ts'],
  threats: [
    'server/security/threats/{engine,geo,recent-map,subject,window}.ts',
    'server/security/threats/rules/*.ts',
  ],
  mapping: ['server/migration/plan/{defaults,fits,mapping,names,options}.ts'],
  canonical: ['server/migration/validation/forms.ts', 'server/migration/transfer/marks.ts'],
}
/** Of the changes to a module, how many must be noticed. */
const LEAST = 0.8
const NOTICED = ['Killed', 'Timeout']
const MISSED = ['Survived', 'NoCoverage']

try {
  checkNode()
  const asked = process.argv.slice(2)
  const names = asked.length > 0 ? asked : Object.keys(MODULES)
  const unknown = names.filter((name) => !MODULES[name])
  if (unknown.length > 0) throw new Failure(`Only these can be mutated: ${Object.keys(MODULES).join(', ')}.`)
  await install()
  const { bundle } = await import('./bundle.mjs')
  await bundle()
  let enough = true
  for (const name of names) enough = (await mutate(name)) && enough
  process.exit(enough ? 0 : 1)
} catch (error) {
  fail(error)
}

async function mutate(name) {
  const { Stryker } = await import('@stryker-mutator/core')
  const began = performance.now()
  const mutants = await new Stryker({
    mutate: MODULES[name],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'scripts/mutation.vitest.ts' },
    coverageAnalysis: 'perTest',
    ignorePatterns: ['.cache', '.next', 'data', 'dist/**', '!dist/sqlite-worker.mjs', 'test-results'],
    tempDirName: '.cache/mutation',
    // What runs when a module is loaded takes every test anew for each change.
    ignoreStatic: true,
    timeoutMS: 2_000,
    reporters: ['progress-append-only'],
    // The tree's own stays as it is: rewriting it takes TypeScript's old API.
    tsconfigFile: '.cache/none.json',
    concurrency: 1,
    logLevel: 'error',
    allowConsoleColors: false,
  }).runMutationTest()
  const of = (states) => mutants.filter(({ status }) => states.includes(status))
  const [killed, missed] = [of(NOTICED), of(MISSED)]
  for (const { fileName, location, mutatorName, replacement, status } of missed) {
    const { line, column } = location.start
    const what = replacement.replaceAll(/\s+/g, ' ').slice(0, 100)
    console.log(`${path.relative(root, fileName)}:${line}:${column} ${mutatorName} ${status}: ${what}`)
  }
  const share = killed.length / (killed.length + missed.length)
  const minutes = (performance.now() - began) / 60_000
  console.log(
    `MUTATION ${name} noticed=${share.toFixed(2)} of=${killed.length + missed.length} left_out=${of(['Ignored']).length} minutes=${minutes.toFixed(1)}`,
  )
  return share >= LEAST
}
