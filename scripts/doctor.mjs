// npm run doctor: what is wrong on this machine, and how to mend it. What needs no package is looked at here, since
// packages may be what is missing; the rest by the bundled command.
import path from 'node:path'
import { checkNode, Failure, isBuilt, isInstalled, missingCompiler, root, run } from './lib.mjs'

const lines = [node(), ...packages()]
if (lines.some(({ state }) => state === 'problem')) tell()
else await examine()

function node() {
  try {
    checkNode()
    return {
      title: 'Node.js',
      state: 'ok',
      detail: `${process.version} on ${process.platform} ${process.arch}.`,
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return {
      title: 'Node.js',
      state: 'problem',
      detail: error.message,
      remedy: 'Install Node.js 20, 22 or 24.',
    }
  }
}

function packages() {
  const missing = missingCompiler()
  const compiler = missing
    ? {
        ...{
          title: 'Compiler',
          state: 'warning',
          detail: `${missing} is missing: better-sqlite3 may have to be compiled.`,
        },
        remedy: 'apt-get install -y build-essential python3',
      }
    : { title: 'Compiler', state: 'ok', detail: 'There is one for better-sqlite3.' }
  if (!isInstalled()) {
    return [
      compiler,
      {
        ...{
          title: 'Packages',
          state: 'problem',
          detail: 'They are not installed for this release and this Node.js.',
        },
        remedy: 'npm start installs them, and starts. What else there is can be looked at then.',
      },
    ]
  }
  const build = isBuilt()
    ? { title: 'Build', state: 'ok', detail: 'It is of the present sources.' }
    : {
        ...{ title: 'Build', state: 'warning', detail: 'There is none, or it is of older sources.' },
        remedy: 'npm start builds, and starts.',
      }
  return [compiler, { title: 'Packages', state: 'ok', detail: 'They are installed for this Node.js.' }, build]
}

function tell() {
  if (process.argv.includes('--json')) console.log(JSON.stringify(lines, null, 2))
  else
    for (const { title, state, detail, remedy } of lines) {
      console.log(
        `${state === 'ok' ? 'ok' : state.toUpperCase()}  ${title}: ${detail}${remedy ? ` → ${remedy}` : ''}`,
      )
    }
  process.exitCode = 1
}

async function examine() {
  const { bundle } = await import('./bundle.mjs')
  await bundle()
  const file = path.join(root, 'dist/cli/doctor.mjs')
  process.exit(
    await run(process.execPath, ['--enable-source-maps', file, ...process.argv.slice(2)], {
      env: { HOLDFAST_DOCTOR: JSON.stringify(lines) },
    }),
  )
}
