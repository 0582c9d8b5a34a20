import type { RedisControl } from '../redis/types'
import { ask, askAll, bytesOf, listOf, numberOf, sure, textOf } from './asking'

/** Where a walk over all keys is: a master, and the cursor of its SCAN. */
export interface Position {
  address: string
  cursor: string
}

export interface Scanned {
  keys: Buffer[]
  /** `0` at the end. */
  cursor: string
}

/** Masters in the order in which they are walked. */
export async function mastersOf(control: RedisControl): Promise<string[]> {
  const nodes = await control.nodes('masters')
  return nodes.map((node) => node.address).sort()
}

/** One step of SCAN. SCAN may answer a key twice. */
export async function scan(
  control: RedisControl,
  at: Position,
  { glob, count }: { glob: Buffer; count: number },
): Promise<Scanned> {
  const answer = listOf(await ask(control, at.address, 'SCAN', at.cursor, 'MATCH', glob, 'COUNT', count))
  return { cursor: textOf(answer[0]) ?? '0', keys: listOf(answer[1]).map(bytesOf) }
}

/** Keys that each master holds, by its address. */
export async function sizesOf(control: RedisControl, masters: string[]): Promise<Map<string, number>> {
  const sizes = await Promise.all(
    masters.map(async (address) => numberOf(await ask(control, address, 'DBSIZE')) ?? 0),
  )
  return new Map(masters.map((address, index) => [address, sizes[index] as number]))
}

/**
 * Every key of every master that matches, each step told to `visit` with the master that holds them; masters are
 * walked at the same time. A key that is there from beginning to end is met at least once.
 */
export async function walkAll(
  control: RedisControl,
  glob: Buffer,
  visit: (address: string, keys: Buffer[]) => Promise<void>,
): Promise<void> {
  const masters = await mastersOf(control)
  const walks = await Promise.allSettled(
    masters.map(async (address) => {
      let cursor = '0'
      do {
        const step = await scan(control, { address, cursor }, { glob, count: 1_000 })
        cursor = step.cursor
        if (step.keys.length > 0) await visit(address, step.keys)
      } while (cursor !== '0')
    }),
  )
  const failed = walks.find((walk) => walk.status === 'rejected')
  if (failed) throw failed.reason
}

/**
 * One command a key, where the key is; follows a slot that is on its way to another master. Answers in the order of
 * the commands, errors in their places.
 */
export async function askForKeys(
  control: RedisControl,
  address: string,
  commands: (string | number | Buffer)[][],
): Promise<(unknown | Error)[]> {
  const answers = await askAll(control, address, commands)
  for (const [index, answer] of answers.entries()) {
    if (!(answer instanceof Error)) continue
    const moved = /^(MOVED|ASK) \d+ (\S+)$/.exec(answer.message)
    if (!moved) continue
    const command = commands[index] as (string | number | Buffer)[]
    const asking = moved[1] === 'ASK' ? [['ASKING'], command] : [command]
    answers[index] = (await askAll(control, moved[2] as string, asking)).at(-1)
  }
  return answers
}

/** Answers that must all be there; throws the first refusal. */
export function allSure(answers: (unknown | Error)[], command: string): unknown[] {
  return answers.map((answer) => sure(answer, command))
}
