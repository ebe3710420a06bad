/** Tells drizzle-kit where the schema and its migrations are: `npm run db:generate -- --name <purpose>`. */
import { defineConfig } from 'drizzle-kit'

export default defineConfig({ dialect: 'postgresql', schema: './db/schema.ts', out: './db/migrations' })
