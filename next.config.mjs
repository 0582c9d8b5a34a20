import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(fileURLToPath(new URL('.', import.meta.url)))

/** One copy in the process: these hold native code, connections or types that are compared across bundles. */
const external = ['@node-rs/argon2', 'better-sqlite3', 'drizzle-orm', 'ioredis', 'pg', 'pg-copy-streams']

/** @type {import('next').NextConfig} */
const config = {
  output: 'standalone',
  poweredByHeader: false,
  reactStrictMode: true,
  agentRules: false,
  devIndicators: false,
  serverExternalPackages: external,
  outputFileTracingRoot: root,
  turbopack: { root },
  // Pages are loaded when they are first asked for: a start need not wait for all of them, nor hold them.
  experimental: { preloadEntriesOnStart: false },
  // Nothing goes through next/image, so the standalone build needs no image library.
  images: { unoptimized: true },
  outputFileTracingExcludes: { '*': ['node_modules/sharp/**', 'node_modules/@img/**'] },
  // `npm run verify` checks the types of the whole tree, in a second.
  typescript: { ignoreBuildErrors: true },
}

export default config
