import { describe, expect, it } from 'vitest'
import { connecting, next, overall, type Standing, type StandingEvent } from './state'

const well: Standing = { use: 'used', silent: 0, refuses: null, reason: null }
const turned = (from: Standing, ...events: StandingEvent[]) => events.reduce(next, from)
const silentRead: StandingEvent = { type: 'silent', write: false, reason: 'Late.' }

describe('the standing of a node', () => {
  it('is away after three silent reads in a row, and not after two', () => {
    expect(turned(well, silentRead, silentRead).use).toBe('used')
    expect(turned(well, silentRead, silentRead, { type: 'answered' }, silentRead, silentRead).use).toBe(
      'used',
    )
    expect(turned(well, silentRead, silentRead, silentRead)).toMatchObject({ use: 'away', reason: 'Late.' })
  })

  it('is away after one silent write, or a lost connection', () => {
    expect(turned(well, { ...silentRead, write: true }).use).toBe('away')
    expect(turned(well, { type: 'lost', reason: 'Gone.' })).toMatchObject({ use: 'away', reason: 'Gone.' })
  })

  it('is used again only through the probe', () => {
    expect(turned(connecting, { type: 'restored', refuses: null }).use).toBe('away')
    const probed = turned(connecting, { type: 'probed' })
    expect(probed).toMatchObject({ use: 'probing', reason: 'Connecting.' })
    expect(turned(probed, { type: 'restored', refuses: null })).toEqual(well)
    expect(turned(probed, { type: 'lost', reason: 'Gone.' }, { type: 'restored', refuses: null }).use).toBe(
      'away',
    )
  })

  it('goes on while writes are refused, until they are taken', () => {
    const full = turned(well, { type: 'refused', reason: 'Full.' })
    expect(full).toMatchObject({ use: 'used', refuses: 'Full.' })
    expect(turned(full, { type: 'restored', refuses: null })).toEqual(well)
    expect(turned(full, { type: 'restored', refuses: 'Full.' })).toBe(full)
    expect(turned(connecting, { type: 'refused', reason: 'Full.' })).toBe(connecting)
  })

  it('is the same object when nothing changed', () => {
    expect(turned(well, { type: 'answered' }, { type: 'probed' })).toBe(well)
    expect(turned(connecting, { type: 'lost', reason: 'Connecting.' })).toBe(connecting)
  })
})

describe('the state of the whole', () => {
  const known = { uncovered: false, reason: null }
  const nodes = (...standings: Standing[]) =>
    standings.map((standing, at) => ({ address: `node${at}`, standing }))
  const away = turned(well, { type: 'lost', reason: 'Gone.' })

  it('is redis when every node is used and takes writes', () => {
    expect(overall(nodes(well, well), known)).toEqual({ state: 'redis', reason: null })
  })

  it('is degraded when a part is away, refuses writes or has no node, and names the node', () => {
    expect(overall(nodes(well, away), known)).toEqual({ state: 'degraded', reason: 'node1: Gone.' })
    const full = turned(well, { type: 'refused', reason: 'Full.' })
    expect(overall(nodes(full), known)).toEqual({ state: 'degraded', reason: 'Full.' })
    expect(overall(nodes(well), { uncovered: true, reason: null }).state).toBe('degraded')
  })

  it('is memory when no node is used, and probing when one of them is put in order', () => {
    expect(overall(nodes(away), known)).toEqual({ state: 'memory', reason: 'Gone.' })
    expect(overall([], { uncovered: true, reason: 'Nobody.' })).toEqual({
      state: 'memory',
      reason: 'Nobody.',
    })
    expect(overall(nodes(away, turned(away, { type: 'probed' })), known).state).toBe('probing')
  })
})
