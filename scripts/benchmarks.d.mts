export interface Result {
  date: string
  commit: string
  machine: string
  versions: Record<string, string>
  options: string[]
  seconds: number
  seed?: number
  /** Exit status. */
  status: number
  /** Null where there was no last line. */
  figures: Record<string, number> | null
}
export type Kind = 'bench' | 'chaos'
export declare function readOutput(
  kind: Kind,
  name: string,
  output: string,
): { figures: Record<string, number> | null; seed?: number }
export declare function benchmarksPage(results: Partial<Record<Kind, Record<string, Result>>>): string
