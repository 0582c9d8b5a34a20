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
    promised: [...guide.matchAll(/^prints (.*)\.$/gm)].map(([, outputs = '']) =>
      [...outputs.matchAll(/`(.*?)`/g)].map(([, output]) => output).join('\n'),
    ),
  }
}
