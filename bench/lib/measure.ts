import { spawn } from 'node:child_process'
import { watchMemory } from './processes'

/** What every bench shares: running commands, medians, and figures printed one way. */

export interface Finished {
  code: number
  milliseconds: number
  /** Peak of the memory (PSS) of the command and its children together, bytes. */
  memory: number
  stdout: string
  stderr: string
}

/** Runs a command to its end and measures the wall time from spawn to exit, and its memory. */
export function run(command: string, args: string[], env: Record<string, string> = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const stopWatching = watchMemory(child.pid ?? -1)
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data) => {
      stdout += data
    })
    child.stderr.on('data', (data) => {
      stderr += data
    })
    child.on('error', (error) => {
      stopWatching()
      reject(error)
    })
    child.on('close', (code) => {
      const milliseconds = performance.now() - started
      resolve({ code: code ?? -1, milliseconds, memory: stopWatching(), stdout, stderr })
    })
  })
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`
}

/** The last line of a bench: `BENCH name key=value …`, two decimals where there are any. */
export function benchLine(name: string, figures: Record<string, number>): string {
  const parts = Object.entries(figures).map(([key, value]) => `${key}=${Number(value.toFixed(2))}`)
  return `BENCH ${name} ${parts.join(' ')}`
}
