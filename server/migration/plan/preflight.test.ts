import { describe, expect, it } from 'vitest'
import { versionCheck } from './preflight'

describe('the check of the version', () => {
  const server = (number: number, readOnly = false) => ({ version: `${number / 10_000}`, number, readOnly })

  it('is red below 13, with what to do', () => {
    expect(versionCheck(server(120_022), 'create')).toMatchObject({
      state: 'red',
      remedy: 'Upgrade to PostgreSQL 13 or newer.',
    })
    expect(versionCheck(server(130_000), 'create')).toMatchObject({ state: 'green' })
  })

  it('is red for a server that takes no writes, unless nothing is to be written', () => {
    expect(versionCheck(server(160_003, true), 'create')).toMatchObject({
      state: 'red',
      remedy: 'Name the primary.',
    })
    expect(versionCheck(server(160_003, true), 'compare')).toMatchObject({ state: 'green' })
  })
})
