import { defineConfig } from 'drizzle-kit'

// `npx drizzle-kit generate --config drizzle.config.ts` with DB_TYPE=sqlite or postgresql writes that dialect's migration.
const postgresql = process.env.DB_TYPE === 'postgresql'

export default defineConfig({
  dialect: postgresql ? 'postgresql' : 'sqlite',
  schema: postgresql ? './db/schema/pg.ts' : './db/schema/sqlite.ts',
  out: postgresql ? './db/migrations/pg' : './db/migrations/sqlite',
  casing: 'snake_case',
})
