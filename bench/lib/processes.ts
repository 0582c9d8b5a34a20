import { readdirSync, readFileSync } from 'node:fs'

const SAMPLE_MS = 100
/** USER_HZ of Linux. */
const TICKS = 100

/** Reads a file of /proc; empty when the process is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** A process and all that it started, by /proc (https://docs.kernel.org/filesystems/proc.html). */
function family(pid: number): number[] {
  const parents = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    // The name in brackets may hold spaces: what counts comes after the last one.
    const stat = read(`/proc/${name}/stat`)
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    parents.set(parent, [...(parents.get(parent) ?? []), Number(name)])
  }
  const found: number[] = []
  for (const queue = [pid]; queue.length > 0; ) {
    const next = queue.pop() as number
    found.push(next)
    queue.push(...(parents.get(next) ?? []))
  }
  return found
}

/** Proportional set size, bytes: memory shared by n processes counts for each with its n-th part. */
function pss(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024
}

/** Samples the PSS of a process and its children together, ten times a second. Answers how to stop and the peak, bytes. */
export function watchMemory(pid: number): () => number {
  let peak = 0
  const sample = () => {
    peak = Math.max(
      peak,
      family(pid).reduce((sum, each) => sum + pss(each), 0),
    )
  }
  const timer = setInterval(sample, SAMPLE_MS)
  return () => {
    clearInterval(timer)
    return peak
  }
}

/** CPU time of a process's children that have ended, theirs included, s: fields 16 and 17 of /proc/PID/stat. */
export function childrenCpu(pid: number | 'self'): number {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) / TICKS
}

/** CPU time of a process with all its threads, user and system, s: fields 14 and 15 of /proc/PID/stat. */
export function cpuOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Memory of a process that is resident, bytes. */
export function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}
