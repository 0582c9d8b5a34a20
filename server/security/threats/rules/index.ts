import type { Rule } from '../types'
import { guessing } from './guessing'
import { outsideRules } from './outside'
import { platformRules } from './platform'
import { rightsRules } from './rights'
import { signInRules } from './sign-in'
import { tokenRules } from './tokens'

/** Every rule, in the order of the page. A new one is added to the file of its family. */
export const rules: readonly Rule[] = [
  ...guessing,
  ...signInRules,
  ...tokenRules,
  ...rightsRules,
  ...platformRules,
  ...outsideRules,
]

export const ruleOf = (id: string): Rule | undefined => rules.find((rule) => rule.id === id)
