import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A guide of docs whose commands a test runs as they stand there. */
export interface RunGuide {
  /** The code block of this name; noted as used. */
  snippet(name: string): string
  /** Runs a command in a shell; answers what it printed, parsed where it is JSON, and null for nothing. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail on anything else
  shell(name: string, env: Record<string, string>): Promise<any>
  /** The answer that the guide shows under the command of this name; undefined where it shows none. */
  shown(name: string): unknown
  /** What the guide says that the block of this name prints, behind it: each text on a line. */
  printed(name: string): string
  /** Blocks that nobody has asked for. */
  unused(): string[]
}

/** Reads docs/`name`.md: blocks are named behind their language, and the block `json name` is what `sh name` answers. */
export function openRunGuide(name: string): RunGuide {
  const text = readFileSync(join(import.meta.dirname, '..', 'docs', `${name}.md`), 'utf8')
  const blocks = [...text.matchAll(/```(\w+) ([\w-]+)\n([\s\S]*?)```/g)]
  const answers = new Map<string, string>()
  const snippets = new Map<string, string>()
  for (const [, language, block = '', code = ''] of blocks) {
    const kept = language === 'json' ? answers : snippets
    if (kept.has(block)) throw new Error(`docs/${name}.md has two blocks ${language} ${block}.`)
    kept.set(block, code)
  }
  const used = new Set<string>()
  function snippet(block: string): string {
    const code = snippets.get(block)
    if (code === undefined) throw new Error(`docs/${name}.md has no block ${block}.`)
    used.add(block)
    return code
  }
  return {
    snippet,
    async shell(block, env) {
      const { PATH = '' } = process.env
      const options = { env: { PATH, ...env } as unknown as NodeJS.ProcessEnv }
      return parsed((await run('sh', ['-euc', snippet(block)], options)).stdout)
    },
    shown: (block) => (answers.has(block) ? JSON.parse(answers.get(block) as string) : undefined),
    printed(block) {
      const [, promise = ''] = /^prints (.*)\.$/m.exec(text.slice(text.indexOf(snippet(block)))) ?? []
      return [...promise.matchAll(/`(.*?)`/g)].map(([, line]) => `${line}\n`).join('')
    },
    unused: () => [...snippets.keys()].filter((block) => !used.has(block)),
  }
}

function parsed(output: string): unknown {
  if (output === '') return null
  try {
    return JSON.parse(output)
  } catch {
    return output
  }
}

/**
 * Where an answer is not as a guide shows it: a field that is shown must be there, with a value of the same type,
 * and one element of a list must be as each that is shown. "…" stands for anything.
 */
export function misfits(shown: unknown, answer: unknown, at = '$'): string[] {
  if (shown === '…') return []
  if (Array.isArray(shown)) {
    if (!Array.isArray(answer)) return [at]
    return shown.flatMap((element, index) => {
      const tried = answer.map((one) => misfits(element, one, `${at}[${index}]`))
      return tried.some((found) => found.length === 0) ? [] : (tried[0] ?? [`${at}[${index}]`])
    })
  }
  if (typeof shown === 'object' && shown !== null) {
    if (typeof answer !== 'object' || answer === null) return [at]
    const fields = answer as Record<string, unknown>
    return Object.entries(shown).flatMap(([name, value]) =>
      name in fields ? misfits(value, fields[name], `${at}.${name}`) : [`${at}.${name}`],
    )
  }
  if (shown === null || answer === null) return shown === answer ? [] : [at]
  return typeof shown === typeof answer ? [] : [at]
}
