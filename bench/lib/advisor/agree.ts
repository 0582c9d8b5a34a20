import type { Client } from 'pg'
import { type Advised, adviseIndexes, describeIndex, type IndexAdvice } from '@/server/database'
import { timeStatement } from './timing'
import type { Labelled } from './work'

export interface Agreement {
  method: Advised['method']
  agreed: number
  advice: IndexAdvice[]
}

/** Asks the advisor about every statement, by HypoPG where the server has it and by statistics alone. */
export async function askAdvisor(client: Client, statements: readonly Labelled[]): Promise<Agreement[]> {
  const asked = await workOf(client, statements)
  const known = await client.query("SELECT 1 FROM pg_available_extensions WHERE name = 'hypopg'")
  const hypopg = known.rows.length > 0
  if (!hypopg) console.log('HypoPG is not installed: by statistics alone')
  const agreements: Agreement[] = []
  if (hypopg) {
    await client.query('CREATE EXTENSION hypopg')
    agreements.push(agreement(await adviseIndexes(client, asked), statements))
    await client.query('DROP EXTENSION hypopg')
  }
  agreements.push(agreement(await adviseIndexes(client, asked, { method: 'statistics' }), statements))
  return agreements
}

/** What the advisor is told: the text, how often it is called, and what that took, but no values. */
async function workOf(client: Client, statements: readonly Labelled[]) {
  const asked = []
  for (const statement of statements) {
    const mean = (await timeStatement(client, statement)) / statement.values.length
    asked.push({
      text: statement.text,
      calls: statement.calls,
      totalMilliseconds: mean * statement.calls,
    })
  }
  return asked
}

function agreement({ method, verdicts, advice }: Advised, statements: readonly Labelled[]): Agreement {
  let agreed = 0
  for (const [at, { name, right }] of statements.entries()) {
    const verdict = verdicts[at]
    const index = verdict?.index
    // Columns that an index only carries along are the advisor's own affair.
    const said = index ? [describeIndex(index), describeIndex({ ...index, include: [] })].map(bare) : []
    const same = right.length === 0 ? !index : right.some((each) => said.includes(bare(each)))
    if (same) agreed++
    else {
      const answer = index ? describeIndex(index) : `none, ${verdict?.because}`
      console.log(`DISAGREED by ${method}: ${name}: ${answer}; right is ${right[0] ?? 'none'}`)
    }
  }
  return { method, agreed, advice }
}

/** An index without blanks: mappers and people space expressions as they like. */
const bare = (index: string): string => index.replaceAll(/\s+/g, '')
