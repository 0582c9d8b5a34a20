import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { undoAfterEach } from '@/db/testing/undo'
import { openVault } from '@/server/vault'
import {
  type Checkpoint,
  checkpointLine,
  isSigned,
  parseCheckpoint,
  signCheckpoint,
  signerOf,
} from './checkpoint'
import { CheckpointFiles } from './checkpoint-files'
import { auditKeys, pemOf, readPublicKeys } from './keys'
import { thinned } from './thinning'

const later = undoAfterEach()
const keys = auditKeys(openVault(Buffer.alloc(32, 1)))
const end = { epoch: 1, seq: 12, hash: 'a'.repeat(64), time: Date.UTC(2026, 10, 29, 5) }

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-checkpoints-'))
  later(() => rmSync(path, { recursive: true }))
  return join(path, 'audit')
}

const checkpoint = (seq: number, time: number, hash = String(seq).padStart(64, '0'), epoch = 1): Checkpoint =>
  signCheckpoint({ epoch, seq, hash, time }, keys.signer)

describe('a checkpoint', () => {
  it('is verified by the public key alone, as a line that was read back', () => {
    const read = parseCheckpoint(checkpointLine(signCheckpoint(end, keys.signer))) as Checkpoint
    const known = readPublicKeys(pemOf(createPublicKey(keys.signer.privateKey)))
    expect(read).toMatchObject({ ...end, key: [...known.keys()][0] })
    expect(isSigned(read, known.get(read.key) as KeyObject)).toBe(true)
  })

  it.each(['epoch', 'seq', 'hash', 'time', 'key'] as const)('is refused with another %s', (field) => {
    const signed = signCheckpoint(end, keys.signer)
    const changed = { ...signed, [field]: typeof signed[field] === 'number' ? 7 : 'b'.repeat(64) }
    expect(isSigned(changed, createPublicKey(keys.signer.privateKey))).toBe(false)
  })

  it('is signed by a key that only the master key makes, and keeps its key after a rotation', () => {
    const [old, fresh] = [randomBytes(32), randomBytes(32)]
    const before = auditKeys(openVault(old))
    const rotated = auditKeys(openVault(fresh, [old]))
    const signed = signCheckpoint(end, before.signer)
    expect(rotated.signer.id).not.toBe(before.signer.id)
    expect(isSigned(signed, rotated.publicKeys.get(signed.key) as never)).toBe(true)
    expect(auditKeys(openVault(fresh)).publicKeys.has(signed.key)).toBe(false)
    expect([...rotated.macs.keys()]).toEqual(openVault(fresh, [old]).keyIds)
  })
})

describe('a line', () => {
  const line = (more: object) => JSON.stringify({ ...signCheckpoint(end, keys.signer), ...more })

  it('is a checkpoint with whole numbers from 0 on and texts', () => {
    expect(parseCheckpoint(line({}))).toEqual(signCheckpoint(end, keys.signer))
    expect(parseCheckpoint(line({ epoch: 0, seq: 0, time: 0 }))).toMatchObject({ epoch: 0, seq: 0, time: 0 })
    expect(parseCheckpoint(line({ more: 1 }))).not.toHaveProperty('more')
  })

  it.each(['epoch', 'seq', 'time'])('is none with another %s', (field) => {
    for (const value of [-1, 0.5, '4', null, undefined, 2 ** 53])
      expect(parseCheckpoint(line({ [field]: value })), String(value)).toBeUndefined()
  })

  it.each(['hash', 'key', 'signature'])('is none with another %s', (field) => {
    for (const value of [4, null, undefined])
      expect(parseCheckpoint(line({ [field]: value })), String(value)).toBeUndefined()
  })

  it('is none where it is no object', () => {
    for (const text of ['', 'null', '7', '[]', '{', '{}']) expect(parseCheckpoint(text), text).toBeUndefined()
  })
})

describe('checkpoint files', () => {
  it('are readable by their owner alone, and every file of the folder is read', async () => {
    const path = folder()
    const files = new CheckpointFiles(path)
    await files.append(checkpoint(1, end.time))
    await files.append(checkpoint(2, end.time + 1))
    const [name = ''] = readdirSync(path)
    expect(statSync(join(path, name)).mode & 0o777).toBe(0o600)
    writeFileSync(join(path, '2026-11-29.other.ndjson'), `${checkpointLine(checkpoint(3, end.time + 2))}\n`)
    expect((await files.read()).checkpoints.map(({ seq }) => seq)).toEqual([1, 2, 3])
  })

  it('go on after a line that a crash cut off, and name a line that somebody changed', async () => {
    const path = folder()
    const files = new CheckpointFiles(path)
    await files.append(checkpoint(1, end.time))
    const [name = ''] = readdirSync(path)
    appendFileSync(join(path, name), checkpointLine(checkpoint(2, end.time)).slice(0, 40))
    await files.append(checkpoint(3, end.time))
    expect(await files.read()).toMatchObject({ checkpoints: [{ seq: 1 }, { seq: 3 }], unreadable: [] })
    appendFileSync(join(path, name), '{"epoch":1,"seq":"4"}\n')
    expect((await files.read()).unreadable).toEqual([{ file: name, line: 4 }])
  })

  it('are thinned out after two days, and what stands in other files stays', async () => {
    const path = folder()
    const files = new CheckpointFiles(path)
    const now = end.time + 3 * 86_400_000
    for (let seq = 1; seq <= 20; seq++) await files.append(checkpoint(seq, end.time + seq * 600_000))
    await files.append(checkpoint(21, now - 1000))
    await files.thin(now)
    const read = await files.read()
    expect(read.checkpoints.map(({ seq }) => seq)).toEqual([5, 11, 17, 20, 21])
    expect(readdirSync(path)).toHaveLength(2)
    expect(readFileSync(join(path, 'thinned.ndjson'), 'utf8').split('\n')).toHaveLength(5)
    await files.thin(now + 86_400_000)
    expect((await files.read()).checkpoints).toEqual(read.checkpoints)
  })

  it('lose nothing when several processes thin them out at once', async () => {
    const path = folder()
    const now = end.time + 3 * 86_400_000
    const writer = new CheckpointFiles(path)
    for (let hour = 0; hour < 40; hour++)
      await writer.append(checkpoint(hour + 1, end.time - hour * 3_600_000))
    await Promise.all(Array.from({ length: 6 }, () => new CheckpointFiles(path).thin(now)))
    expect((await writer.read()).checkpoints).toHaveLength(40)
  })
})

describe('thinning', () => {
  it('keeps what shows that a log went back, and what contradicts itself', () => {
    const at = (minute: number) => end.time + minute * 60_000
    const log = [checkpoint(1, at(1)), checkpoint(2, at(2)), checkpoint(9, at(3)), checkpoint(3, at(4))]
    expect(thinned(log).map(({ seq }) => seq)).toEqual([9, 3])
    const forked = [...log.slice(0, 2), checkpoint(2, at(5), 'f'.repeat(64)), checkpoint(8, at(6))]
    expect(thinned(forked).map(({ seq, hash }) => [seq, hash[0]])).toEqual([
      [2, '0'],
      [2, 'f'],
      [8, '0'],
    ])
  })

  it('keeps both sides of each step back, also from one hour to the next, and the last of each key', () => {
    const at = (minute: number) => Math.floor(end.time / 3_600_000) * 3_600_000 + minute * 60_000
    const kept = (log: Checkpoint[]) => thinned(log).map(({ seq }) => seq)
    const inOne = [1, 20, 10, 15, 30].map((seq, minute) => checkpoint(seq, at(minute)))
    expect(kept(inOne)).toEqual([20, 10, 30])
    const overTwo = [40, 50, 45, 60].map((seq, index) => checkpoint(seq, at(58 + index)))
    expect(kept(overTwo)).toEqual([50, 45, 60])
    const other = signerOf(new Uint8Array(32).fill(9))
    const byOther = (seq: number, minute: number) =>
      signCheckpoint({ epoch: 1, seq, hash: String(seq).padStart(64, '0'), time: at(minute) }, other)
    expect(kept([byOther(1, 1), byOther(2, 2), checkpoint(3, at(3)), checkpoint(4, at(4))])).toEqual([2, 4])
    const epochs = [
      checkpoint(90, at(1)),
      checkpoint(5, at(2), undefined, 2),
      checkpoint(6, at(3), undefined, 2),
    ]
    expect(kept(epochs)).toEqual([6])
    expect(kept([checkpoint(5, at(1), undefined, 2), checkpoint(90, at(2)), checkpoint(91, at(3))])).toEqual([
      ...[5, 90, 91],
    ])
    expect(kept([])).toEqual([])
  })

  it('keeps the ten largest steps back of an hour', () => {
    const hour = Array.from({ length: 12 }, (_, at) => [1_000 * (at + 1), 1_000 * (at + 1) - (at + 1)]).flat()
    const log = [...hour, 90_000].map((seq, at) => checkpoint(seq, end.time + at))
    expect(thinned(log).map(({ seq }) => seq)).toEqual([...hour.slice(4), 90_000])
  })

  it('keeps few of an hour in which clocks of two hosts disagree', () => {
    const hour = Array.from({ length: 3_000 }, (_, n) => checkpoint(n % 2 ? n - 3 : n + 1, end.time + n))
    expect(thinned(hour).length).toBeLessThanOrEqual(22)
  })
})
