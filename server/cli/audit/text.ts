import type { Epochs, ExportResult, Found, VerificationResult } from '@/server/audit'

const number = (value: number) => value.toLocaleString('en-US')
const events = (count: number) => `${number(count)} event${count === 1 ? '' : 's'}`
const moment = (time: number) => new Date(time).toISOString()

/** What a verification in place says, for a terminal. */
export function verificationText(result: VerificationResult, now: number): string {
  const { rows, first, last, took, checkpoints, unprotected, prunedTo, restoredAt, reported } = result
  return text([
    rows === 0
      ? 'The audit log holds no event.'
      : `${events(rows)}, #${first} to #${last}, in ${(took / 1000).toFixed(1)} s.`,
    prunedTo !== null && `Events up to #${prunedTo} were dropped by retention, as the log says.`,
    restoredAt.length > 0 && `Restored from a backup, as the log says, at #${restoredAt.join(', #')}.`,
    checkpointLine(checkpoints),
    unprotected.events > 0
      ? `Unprotected: ${events(unprotected.events)} after the last checkpoint${since(unprotected.oldestAt, now)}.`
      : 'Unprotected: none.',
    reported.length > 0 && `Tampering was reported before, at #${reported.join(', #')}.`,
    ...verdict(result),
  ])
}

/** What the verification of an export says, for a terminal. */
export function exportText(result: ExportResult, filtered: boolean): string {
  const { rows, first, last, gaps, checkpoints, proven, unsigned, loose, counts } = result
  return text([
    rows === 0 ? 'The export holds no event.' : `${events(rows)}, #${first} to #${last}.`,
    gaps > 0
      ? `Not a full export: ${number(gaps)} gap${gaps === 1 ? '' : 's'}.`
      : rows > 0 && 'A full export: no event is left out between them.',
    checkpointLine(checkpoints),
    `Proven by checkpoints: ${events(proven)}.`,
    unsigned.events > 0 &&
      `Unsigned: ${events(unsigned.events)} after the last checkpoint; nothing proves who wrote them.`,
    loose > 0 &&
      `Not proven: ${events(loose)} before a gap. They fit their own hash, which anybody can compute.`,
    ...verdict(result),
    counts.missing !== undefined &&
      !filtered &&
      'If the export was made with a filter, gaps are no breaks: verify it again with --filtered.',
  ])
}

/** What a declared restore says, for a terminal. */
export function restoredText({ epoch, loss }: Awaited<ReturnType<Epochs['restored']>>): string {
  return `The log goes on in epoch ${epoch}, after #${number(loss.kept.seq)}; ${events(loss.events)} of before ${loss.events === 1 ? 'is' : 'are'} lost.`
}

function checkpointLine({ signed, agreed, latest }: ExportResult['checkpoints']): string {
  if (!latest) return `Checkpoints: none that agrees, of ${number(signed)}.`
  return `Checkpoints: ${number(agreed)} agree, of ${number(signed)}; the last is of #${latest.seq}, signed at ${moment(latest.time)}.`
}

function since(time: number | null, now: number): string {
  return time === null ? '' : `, the oldest ${((now - time) / 1000).toFixed(1)} s old`
}

type Verdict = Pick<ExportResult, 'sound' | 'found' | 'unlisted' | 'counts'>

function verdict({ sound, found, unlisted, counts }: Verdict): (string | false)[] {
  if (sound) return ['Sound: nothing was changed, added or taken away.']
  const sums = Object.entries(counts).map(([kind, count]) => `${number(count)} ${kind}`)
  return [
    '',
    ...table(found),
    unlisted > 0 && `… and ${number(unlisted)} more.`,
    '',
    `Broken: ${sums.join(', ')}.`,
  ]
}

function table(found: Found[]): string[] {
  const rows = [
    ['FROM', 'TO', 'FOUND', 'NOTE'],
    ...found.map(({ seq, to, kind, note }) => [`#${seq}`, `#${to}`, kind, note ?? '']),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const text = (lines: (string | false)[]) => lines.filter((line) => line !== false).join('\n')
