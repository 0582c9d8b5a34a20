// npm run test:all: the long form of every test on this Node (HOLDFAST_ALL=1), then npm test on each other Node that
// Holdfast supports, in a copy of the tree with node_modules of its own. Ends with the totals of each and of all.
// "--node 22,24" names the versions; what follows goes to npm test, e.g. "--only unit server/cache".
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { checkNode, Failure, fail, install, inWords, npmCommand, root, run, runLogged, step } from './lib.mjs'

const VERSIONS = ['20', '22', '24']
const own = process.versions.node.split('.')[0]

/** Binaries and copies of the tree stay here for the next time; it may be removed at any time. */
const cache = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'holdfast')

try {
  checkNode()
  const { versions, rest } = asked()
  await install()
  const results = []
  for (const version of versions) {
    console.log(`\nNode ${version}`)
    results.push({ version, ...(await (version === own ? testHere(rest) : testOn(version, rest))) })
  }
  console.log('')
  for (const { version, ...totals } of results) console.log(`Node ${version}: ${inWords(totals)}`)
  const sum = (what) => results.reduce((total, each) => total + each[what], 0)
  const all = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }
  process.exitCode = all.failed > 0 || all.passed === 0 ? 1 : 0
  console.log(inWords(all))
} catch (error) {
  fail(error)
}

function asked() {
  const { values, positionals } = parseArgs({
    options: { node: { type: 'string' }, only: { type: 'string' } },
    allowPositionals: true,
  })
  const versions = values.node ? values.node.split(',') : [own, ...VERSIONS.filter((each) => each !== own)]
  const unknown = versions.find((each) => each !== own && !VERSIONS.includes(each))
  if (unknown) throw new Failure(`--node names "${unknown}"; it takes ${VERSIONS.join(', ')}, by commas.`)
  return { versions, rest: [...(values.only ? ['--only', values.only] : []), ...positionals] }
}

function testHere(rest) {
  return summed(process.execPath, rest, root, { HOLDFAST_ALL: '1' })
}

async function testOn(version, rest) {
  const place = path.join(cache, `node-${version}`)
  const folder = await nodeOf(version, place)
  const tree = path.join(place, 'tree')
  copyTree(tree)
  return summed(path.join(folder, 'bin/node'), rest, tree, {
    PATH: `${path.join(folder, 'bin')}${path.delimiter}${process.env.PATH}`,
    // Packages that are compiled find this Node's headers, and npm of the same release installs them.
    npm_config_nodedir: folder,
    npm_execpath: npmCommand().at(-1),
  })
}

/** The folder of a Node of this major version, from the npm registry: the newest of the day it was first asked for. */
async function nodeOf(version, place) {
  const name = `node-${process.platform}-${process.arch}`
  const folder = path.join(place, 'node/node_modules', name)
  if (fs.existsSync(path.join(folder, 'bin/node'))) return folder
  fs.mkdirSync(path.join(place, 'node'), { recursive: true })
  fs.writeFileSync(path.join(place, 'node/package.json'), '{ "private": true }')
  const [command, ...args] = npmCommand()
  await step(`Installing Node ${version}`, () =>
    runLogged(`Node ${version}`, command, [
      ...[...args, 'install', '--prefix', path.join(place, 'node'), '--no-audit', '--no-fund'],
      ...['--ignore-scripts', `${name}@${version}`],
    ]),
  )
  return folder
}

/** Every file that git knows or would add; what the copy has built and installed stays for as long as it fits. */
function copyTree(tree) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    maxBuffer: 64 * 2 ** 20,
  })
  const files = listed
    .toString()
    .split('\0')
    .filter((file) => file && fs.existsSync(path.join(root, file)))
  fs.mkdirSync(tree, { recursive: true })
  for (const name of fs.readdirSync(tree)) {
    if (!['node_modules', '.next', 'dist', '.cache'].includes(name)) {
      fs.rmSync(path.join(tree, name), { recursive: true, force: true })
    }
  }
  for (const file of files) {
    fs.mkdirSync(path.dirname(path.join(tree, file)), { recursive: true })
    fs.copyFileSync(path.join(root, file), path.join(tree, file))
  }
}

/** Runs npm test's script; one that ends before it has totals counts as one failure. */
async function summed(node, rest, cwd, env) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-test-all-'))
  const file = path.join(folder, 'totals.json')
  try {
    await run(node, [path.join(cwd, 'scripts/test.mjs'), ...rest], {
      cwd,
      env: { ...env, HOLDFAST_SUMMARY: file },
    })
    if (!fs.existsSync(file)) return { passed: 0, failed: 1, skipped: 0 }
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
