import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Guide {
  /** Runs a code block, as it stands there but for where the module is, in a folder of its own; answers its output. */
  runs(name: string, env?: Record<string, string>): Promise<string>
  /** Runs a block of commands of this project as it stands there, in a folder that the caller keeps; answers what it prints. */
  types(name: string, folder: string, env: Record<string, string>): Promise<string>
  /** What the guide says that its blocks print, in their order. */
  promised: string[]
}

/** Reads a guide for other applications from docs. */
export function openGuide(name: string): Guide {
  const root = process.cwd()
  const guide = readFileSync(join(root, 'docs', `${name}.md`), 'utf8')
  return {
    async runs(block, env = {}) {
      const [, code = ''] = new RegExp(`\`\`\`js ${block}\\n([\\s\\S]*?)\`\`\``).exec(guide) ?? []
      const folder = mkdtempSync(join(tmpdir(), 'holdfast-guide-'))
      try {
        writeFileSync(
          join(folder, 'main.mjs'),
          code.replace('./dist/', pathToFileURL(join(root, 'dist/')).href),
        )
        const { stdout } = await run(process.execPath, ['main.mjs'], {
          cwd: folder,
          env: { PATH: process.env.PATH ?? '', ...env } as unknown as NodeJS.ProcessEnv,
          timeout: 60_000,
        })
        return stdout.trim()
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
    async types(block, folder, env) {
      const [, commands = ''] = new RegExp(`\`\`\`sh ${block}\\n([\\s\\S]*?)\`\`\``).exec(guide) ?? []
      if (commands === '') throw new Error(`The guide ${name} has no block of commands named ${block}.`)
      // By the bundle: npm would install and bundle first, beside the tests that go on.
      const direct = commands.replace(
        /^npm run (\w+)(?: --)?/gm,
        (_, command) => `node "${join(root, 'dist/cli', `${command}.mjs`)}"`,
      )
      const { stdout } = await run('sh', ['-ec', direct], {
        cwd: folder,
        env: { PATH: process.env.PATH ?? '', ...env } as unknown as NodeJS.ProcessEnv,
        timeout: 60_000,
      })
      return stdout
    },
    promised: [...guide.matchAll(/^prints (.*)\.$/gm)].map(([, outputs = '']) =>
      [...outputs.matchAll(/`(.*?)`/g)].map(([, output]) => output).join('\n'),
    ),
  }
}
