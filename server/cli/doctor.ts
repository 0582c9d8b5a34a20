import { parseArgs } from 'node:util'
import { examine, type Line } from '@/server/doctor'

const help = `Usage: npm run doctor [-- --json]

  Looks at what the console stands on, whether it runs or cannot start: Node.js and the build, the configuration, the
  data folder, the port, the database with its replicas, the last backup, Redis. It changes nothing, and says what to
  do about everything that is wrong.

Exit status: 0 nothing is broken (there may be warnings), 1 there are problems, 2 wrong arguments.
`

const MARKS = { ok: 'ok      ', warning: 'WARNING ', problem: 'PROBLEM ' } as const

function shown(lines: Line[]): string {
  const width = Math.max(...lines.map(({ title }) => title.length))
  const count = (state: Line['state'], word: string) => {
    const found = lines.filter((line) => line.state === state).length
    return `${found} ${word}${found === 1 ? '' : 's'}`
  }
  return [
    ...lines.flatMap(({ title, state, detail, remedy }) => [
      `${MARKS[state]}${title.padEnd(width)}  ${detail}`,
      ...(remedy ? [`${' '.repeat(8 + width)}  → ${remedy}`] : []),
    ]),
    `${count('problem', 'problem')}, ${count('warning', 'warning')}.`,
  ].join('\n')
}

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  // biome-ignore lint/style/noProcessEnv: the doctor looks at all of it, as a start does.
  const { HOLDFAST_DOCTOR: before, ...environment } = process.env
  const lines = [...(before ? (JSON.parse(before) as Line[]) : []), ...(await examine(environment))]
  console.log(values.json ? JSON.stringify(lines, null, 2) : shown(lines))
  return lines.some(({ state }) => state === 'problem') ? 1 : 0
}

try {
  process.exitCode = await run()
} catch (error) {
  process.stderr.write(`${(error as Error).message}\nSee npm run doctor -- --help\n`)
  process.exitCode = 2
}
