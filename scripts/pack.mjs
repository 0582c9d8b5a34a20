// Before npm pack: the bundles and types of the layers that other applications import. Run by npm.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { bundle, root } from './bundle.mjs'

const types = join(root, 'dist', 'types')
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
/** What has no types of its own, and is declared here. */
const ambient = join(root, 'server/database/pool/pg-utils.d.ts')
/** The sources whose declarations are promised: dist/types/server/cache/index.d.ts is of server/cache/index.ts. */
const sources = Object.values(exports).map((entry) =>
  join(root, relative('dist/types', entry.types).replace(/\.d\.ts$/, '.ts')),
)

await bundle()
declare()
for (const file of declarations(types)) writeFileSync(file, resolved(file))

/** Writes the declarations of the sources, and of everything that they import. */
function declare() {
  const folder = mkdtempSync(join(root, 'node_modules', '.pack-'))
  try {
    const config = join(folder, 'tsconfig.json')
    const compilerOptions = {
      ...{ noEmit: false, declaration: true, emitDeclarationOnly: true, incremental: false, allowJs: false },
      ...{ rootDir: root, outDir: types, paths: { '@/*': [`${root}/*`] }, plugins: [] },
      ...{ types: ['node'], typeRoots: [join(root, 'node_modules', '@types')] },
    }
    writeFileSync(
      config,
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions,
        files: [...sources, ambient],
        include: [],
      }),
    )
    rmSync(types, { recursive: true, force: true })
    mkdirSync(types, { recursive: true })
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const { status } = spawnSync(process.execPath, [tsc, '-p', config], { stdio: 'inherit' })
    if (status !== 0) process.exit(status ?? 1)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Nobody else knows what `@/` means, and Node's own resolution takes no path without an extension. */
function resolved(file) {
  return readFileSync(file, 'utf8').replace(
    /(from |import\(|import )(['"])(@\/|\.)(.*?)\2/g,
    (whole, before, quote, start, rest) => {
      const target = start === '@/' ? join(types, rest) : join(dirname(file), `${start}${rest}`)
      const found = [`${target}.d.ts`, join(target, 'index.d.ts')].find((path) => existsSync(path))
      if (!found) return whole
      const way = relative(dirname(file), found).replace(/\.d\.ts$/, '.js')
      return `${before}${quote}${way.startsWith('.') ? way : `./${way}`}${quote}`
    },
  )
}

function declarations(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.d.ts'))
    .map((name) => join(folder, name))
}
