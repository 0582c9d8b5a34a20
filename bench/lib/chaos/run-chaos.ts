import { spawn } from 'node:child_process'

/** Runs one chaos command of the bundle to its end, for a test. Answers its last line and all that it printed. */
export async function runChaos(
  name: string,
  ...args: string[]
): Promise<{ code: number | null; last: string | undefined; output: string }> {
  const child = spawn(process.execPath, [`dist/chaos/${name}.mjs`, ...args])
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, last: output.trim().split('\n').at(-1), output }
}
