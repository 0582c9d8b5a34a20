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
  /**
   * Runs a block of commands of this project as it stands there but for the words that `given` has others for, in a
   * folder that the caller keeps; answers what it prints.
   */
  types(
    name: string,
    folder: string,
    env: Record<string, string>,
    given?: Record<string, string>,
  ): Promise<string>
  /** Names of the blocks of commands, and the lines of those that have none. */
  commands: { named: string[]; others: string[] }
  /** What the guide says that its blocks print, in their order. */
  promised: string[]
}

/** Reads a document of this project: README.md, docs/cache.md. */
export function openGuide(document: string): Guide {
  const root = process.cwd()
  const guide = readFileSync(join(root, document), 'utf8')
  const blocks = [...guide.matchAll(/^```sh ?(.*)\n([\s\S]*?)^```$/gm)]
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
    async types(block, folder, env, given = {}) {
      let [, , commands] = blocks.find(([, name]) => name === block) ?? []
      if (!commands) throw new Error(`${document} has no block of commands named ${block}.`)
      for (const [word, other] of Object.entries(given)) commands = commands.replaceAll(word, other)
      // By the bundle: npm would install and bundle first, beside the tests that go on.
      const direct = commands.replace(
        /\bnpm run (?:-s )?(\w+)(?: --)?/g,
        (_, command) => `node "${join(root, 'dist/cli', `${command}.mjs`)}"`,
      )
      const { stdout } = await run('sh', ['-ec', direct], {
        cwd: folder,
        env: { PATH: process.env.PATH ?? '', ...env } as unknown as NodeJS.ProcessEnv,
        timeout: 60_000,
      })
      return stdout
    },
    commands: {
      named: blocks.flatMap(([, name = '']) => (name ? [name] : [])),
      others: blocks.flatMap(([, name, lines = '']) => (name ? [] : lines.trimEnd().split('\n'))),
    },
    promised: [...guide.matchAll(/^prints (.*)\.$/gm)].map(([, outputs = '']) =>
      [...outputs.matchAll(/`(.*?)`/g)].map(([, output]) => output).join('\n'),
    ),
  }
}
