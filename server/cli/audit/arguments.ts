import { readArgs, UsageError } from '../common/usage'

export type Command =
  | { name: 'help' }
  | { name: 'verify' }
  | { name: 'verify export'; file: string; publicKey: string; checkpoints: string[]; filtered: boolean }
  | { name: 'public-key' }
  | { name: 'checkpoints' }
  | { name: 'restored'; reason: string }

/** Reads the arguments of `npm run audit`. Throws a {@link UsageError}. */
export function parse(args: string[]): Command {
  const { values, positionals } = parseOptions(args)
  const { help, reason, ...given } = values
  if (help) return { name: 'help' }
  const name = positionals.join(' ')
  if (name === 'restored') return restored(reason, given)
  if (reason !== undefined) throw new UsageError('--reason belongs to restored')
  if (name === 'verify') return verify(given)
  const [option] = Object.keys(given)
  if (name !== 'public-key' && name !== 'checkpoints')
    throw new UsageError('The commands are: verify, public-key, checkpoints, restored')
  if (option) throw new UsageError(`${name} takes no --${option}`)
  return { name }
}

type Given = Omit<ReturnType<typeof parseOptions>['values'], 'help' | 'reason'>

function restored(reason: string | undefined, given: Given): Command {
  const [option] = Object.keys(given)
  if (option) throw new UsageError(`restored takes no --${option}`)
  if (!reason?.trim()) throw new UsageError('restored takes --reason TEXT: it stands in the audit log')
  return { name: 'restored', reason: reason.trim() }
}

function verify({ export: file, 'public-key': publicKey, checkpoints = [], filtered }: Given): Command {
  if (file === undefined) {
    if (publicKey ?? checkpoints[0] ?? filtered)
      throw new UsageError('--public-key, --checkpoints and --filtered belong to --export FILE')
    return { name: 'verify' }
  }
  if (publicKey === undefined) throw new UsageError('--export takes --public-key FILE as well')
  if (checkpoints.length === 0) throw new UsageError('--export takes --checkpoints FILE as well')
  return { name: 'verify export', file, publicKey, checkpoints, filtered: filtered ?? false }
}

function parseOptions(args: string[]) {
  return readArgs({
    args,
    allowPositionals: true,
    options: {
      export: { type: 'string' },
      'public-key': { type: 'string' },
      checkpoints: { type: 'string', multiple: true },
      filtered: { type: 'boolean' },
      reason: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
}

export const help = `Usage: npm run audit -- COMMAND

  verify          Verifies the audit log in the store: chain, HMACs and signed checkpoints.
  verify --export FILE --public-key FILE --checkpoints FILE
                  Verifies an export in NDJSON on any machine, without the store and its keys.
                  --checkpoints may be given more than once, and may be a folder;
                  --filtered says that the export was made with a filter: gaps are no breaks then
  public-key      Prints the public keys of the checkpoints in PEM, the current one first.
  checkpoints     Prints all checkpoints, one a line.
  restored --reason TEXT
                  Says that the store was restored from a backup: the log goes on in a new epoch, and
                  tells how many events are lost. Until then the log counts as rolled back.

  npm run -s audit -- public-key > holdfast.pem
  npm run -s audit -- checkpoints > checkpoints.ndjson
  npm run audit -- verify --export events.ndjson --public-key holdfast.pem --checkpoints checkpoints.ndjson

What is found is one of: modified, missing, inserted, reordered, forked, truncated (the end was cut off), rolled back
(the log was put back to an earlier state), unknown key, checkpoint unreadable.

The console may be running meanwhile. A verification is in the audit log, as done by 'command line'.
Exit status: 0 sound, 1 broken or not verified (the reason is printed), 2 wrong arguments.
`
