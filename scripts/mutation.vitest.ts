import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** The tests that `npm run mutation` runs, again and again: those of pure modules, without any server. */
export default defineConfig({
  resolve: { alias: { '@': fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '') } },
  test: {
    include: [
      'server/security/tokens/{doubtful-token,signatures,token-attacks,token-shape,tokens}.test.ts',
      'server/security/factors/{backup-codes,totp,passkey-challenge}.test.ts',
      'server/security/limits/{network,words}.test.ts',
      'server/security/threats/{edges,engine,geo,recent-map,subject,told,window}.test.ts',
      'server/audit/{checkpoint,genuine,landmarks,verdict,walk}.test.ts',
      'server/migration/plan/*.test.ts',
      'server/migration/{transfer,validation}/{canonical,forms,marks,render}.test.ts',
    ],
    testTimeout: 30_000,
    provide: { postgres: null, redis: null },
  },
})
