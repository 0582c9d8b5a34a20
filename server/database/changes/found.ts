import type { Advised, IndexProblem } from '../advisor'

/** What the advisor answers on either dialect. */
export interface Found {
  advised: Advised
  problems: IndexProblem[]
}

/** Why there is none, in a sentence that may be shown. */
export class NoAdvice extends Error {
  override name = 'NoAdvice'
}

export const TOO_LONG =
  'Looking through the statements took longer than 30 s. Try again when the server has less to do.'
