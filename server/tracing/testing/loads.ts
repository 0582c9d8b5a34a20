// Whether tracing loads its packages, in a process of its own, for tests: they share theirs, which may hold them already.
import { createRequire } from 'node:module'
import { openLog } from '@/server/log'
import { openTracing } from '..'

/** What the process prints as JSON: whether the packages are loaded after opening without and with a collector. */
export interface TracingLoads {
  without: boolean
  with: boolean
}

const loaded = () =>
  Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('@opentelemetry/sdk-trace'))

const deps = { log: openLog('error'), version: '1', instance: 'one' }
const config = {
  ...{ headers: {}, service: 'console', resource: {} },
  ...{ sampler: 'always_on' as const, samplerArgument: undefined },
}
await openTracing(deps, { ...config, endpoint: undefined })
const loads: TracingLoads = { without: loaded(), with: false }
const trace = await openTracing(deps, { ...config, endpoint: 'http://127.0.0.1:9' })
loads.with = loaded()
await trace?.close()
console.log(JSON.stringify(loads))
