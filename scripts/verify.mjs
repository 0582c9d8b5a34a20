// npm run verify: format, lint with the import table, types, unused code, and whether the API's description is of
// the types, side by side, in seconds.
import { spawn } from 'node:child_process'
import { checkNode, fail, install, root } from './lib.mjs'

const STEPS = [
  ['format and lint', 'node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']],
  ['types', 'node_modules/typescript/bin/tsc', ['--noEmit', '-p', '.']],
  ['unused code', 'node_modules/knip/bin/knip.js', ['--no-progress']],
  ['description of answers', 'scripts/answers.mjs', ['--check']],
]

try {
  checkNode()
  await install()
} catch (error) {
  fail(error)
}

const results = await Promise.all(STEPS.map(runStep))
process.exitCode = results.every(Boolean) ? 0 : 1

function runStep([title, script, args]) {
  const started = performance.now()
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    env: { ...process.env, FORCE_COLOR: '0' },
  })
  let output = ''
  child.stdout.on('data', (data) => {
    output += data
  })
  child.stderr.on('data', (data) => {
    output += data
  })
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${title} (${seconds} s)`)
      if (code !== 0) console.log(output.trimEnd())
      resolve(code === 0)
    })
  })
}
