import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../cache-folder'

/** A release, and the folder where it stands built. */
export interface Release {
  version: string
  folder: string
}

/**
 * The release before this one, built from this repository's history with its own packages. It stays in
 * ~/.cache/holdfast, which may be removed at any time. Throws what failed; a shallow clone does not hold the commit.
 */
export function previousRelease(): Release {
  const { version, commit } = beforeThisOne()
  const folder = join(cacheFolder, `release-${version}`)
  const stamp = join(folder, '.built')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === commit) return { version, folder }
  console.log(`building ${version} in ${folder}, which takes some minutes`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const tree = execFileSync('git', ['archive', commit], { maxBuffer: 256 * 1024 ** 2 })
  execFileSync('tar', ['-x', '-C', folder], { input: tree })
  run(folder, 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--no-progress'])
  run(folder, process.execPath, ['scripts/build.mjs'])
  writeFileSync(stamp, commit)
  return { version, folder }
}

/** The newest commit that gave package.json another version than it has now: a release sets it. */
function beforeThisOne(): { version: string; commit: string } {
  const now = versionIn(readFileSync('package.json', 'utf8'))
  const setting = git('log', '--format=%H', '-G^  "version":', '--', 'package.json')
  for (const commit of setting.split('\n').filter(Boolean)) {
    const version = versionIn(git('show', `${commit}:package.json`))
    if (version !== now) return { version, commit }
  }
  throw new Error(`The history holds no release before ${now}: clone the whole repository.`)
}

const versionIn = (text: string): string => JSON.parse(text).version

const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' })

function run(cwd: string, command: string, args: string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout}\n${stderr}`)
}
