import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../cache-folder'

/** The release before this one; to be changed with each release. */
export const previous = { version: '0.6.0', commit: '43a1751f83316fac5d2953d82e7bca40cbed93e4' }

/**
 * The folder of the previous release, built: from this repository's history, with its own packages. It stays in
 * ~/.cache/holdfast, which may be removed at any time. Throws what failed; a shallow clone does not hold the commit.
 */
export function previousRelease(): string {
  const folder = join(cacheFolder, `release-${previous.version}`)
  const stamp = join(folder, '.built')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === previous.commit) return folder
  console.log(`building ${previous.version} in ${folder}, which takes some minutes`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const tree = execFileSync('git', ['archive', previous.commit], { maxBuffer: 256 * 1024 ** 2 })
  execFileSync('tar', ['-x', '-C', folder], { input: tree })
  run(folder, 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--no-progress'])
  run(folder, process.execPath, ['scripts/build.mjs'])
  writeFileSync(stamp, previous.commit)
  return folder
}

function run(cwd: string, command: string, args: string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout}\n${stderr}`)
}
