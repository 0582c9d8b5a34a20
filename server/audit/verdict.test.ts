import { createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Checkpoint, type Signer, signCheckpoint, signerOf } from './checkpoint'
import type { Found } from './judge'
import { latestOf, listed, signedOnes } from './verdict'

const known = signerOf(new Uint8Array(32).fill(1))
const stranger = signerOf(new Uint8Array(32).fill(2))
const keys = new Map([[known.id, createPublicKey(known.privateKey)]])
const checkpoint = (seq: number, time: number, signer: Signer = known): Checkpoint =>
  signCheckpoint({ epoch: 1, seq, hash: 'a'.repeat(64), time }, signer)

describe('what was found', () => {
  it('is sound where it is nothing', () => {
    expect(listed([])).toEqual({ sound: true, found: [], unlisted: 0, counts: {} })
  })

  it('is listed up to a hundred, and counted by events', () => {
    const missing = Array.from(
      { length: 99 },
      (_, at): Found => ({ kind: 'missing', seq: at * 10, to: at * 10 + 2 }),
    )
    const modified = Array.from({ length: 3 }, (_, at): Found => ({ kind: 'modified', seq: at, to: at }))
    const told = listed([...missing, ...modified])
    expect(told).toMatchObject({ sound: false, unlisted: 2, counts: { missing: 297, modified: 3 } })
    expect(told.found).toEqual([...missing, modified[0]])
  })
})

describe('checkpoints', () => {
  it('are those with a good signature, in the order of the log and then of time', () => {
    const read = { checkpoints: [checkpoint(20, 3), checkpoint(5, 9), checkpoint(20, 1)], unreadable: [] }
    const { signed, found } = signedOnes(read, keys)
    expect(signed.map(({ seq, time }) => [seq, time])).toEqual([
      [5, 9],
      [20, 1],
      [20, 3],
    ])
    expect(found).toEqual([])
  })

  it('that say another thing than was signed are named, and lines that are none', () => {
    const forged = { ...checkpoint(7, 1), seq: 8 }
    const unreadable = [{ file: '2026-11-29.host.ndjson', line: 4 }]
    const { signed, found } = signedOnes({ checkpoints: [forged, checkpoint(9, 1)], unreadable }, keys)
    expect(signed.map(({ seq }) => seq)).toEqual([9])
    const kind = 'checkpoint unreadable'
    expect(found).toEqual([
      { kind, seq: 0, to: 0, note: '2026-11-29.host.ndjson, line 4' },
      { kind, seq: 8, to: 8, note: 'its signature does not fit' },
    ])
  })

  it('by a key that is not known are named together, from the first to the last', () => {
    const checkpoints = [20, 5, 30, 10].map((seq) => checkpoint(seq, seq, stranger))
    const note = `checkpoints by the key ${stranger.id}`
    expect(signedOnes({ checkpoints, unreadable: [] }, keys)).toEqual({
      signed: [],
      found: [{ kind: 'unknown key', seq: 5, to: 30, note }],
    })
  })

  it('prove up to the last', () => {
    expect(latestOf([checkpoint(5, 1), checkpoint(9, 2)])).toEqual({ seq: 9, time: 2 })
    expect(latestOf([])).toBe(null)
  })
})
