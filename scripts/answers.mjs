// node scripts/answers.mjs: writes what every procedure answers, as JSON Schema, from the types of the router. With
// --check it only says whether what is written is what the types say.
// Nobody parses answers at run time, so their types are the only description that cannot be wrong.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript5'
import { root } from './lib.mjs'
import { Schemas } from './type-schemas.mjs'

const file = join(root, 'server/trpc/openapi/answers.json')

const told = JSON.stringify(describe())
if (!process.argv.includes('--check')) {
  writeFileSync(file, told)
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
  const { status } = spawnSync(process.execPath, [biome, 'format', '--write', file], { stdio: 'ignore' })
  if (status !== 0) throw new Error(`${file} could not be formatted.`)
} else if (JSON.stringify(JSON.parse(readFileSync(file, 'utf8'))) !== told) {
  throw new Error('server/trpc/openapi/answers.json is of other types: run node scripts/answers.mjs.')
}

/** `{ procedures: { name: { summary, answer } }, schemas: { Name: schema } }`; an answer is null where there is none. */
function describe() {
  const entry = join(root, 'server/routers/_app.ts')
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram([entry], { ...options, incremental: false })
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry))
  const router = checker.getExportsOfModule(module).find(({ name }) => name === 'appRouter')
  const schemas = new Schemas(checker)
  const procedures = {}

  const typeOf = (symbol) => checker.getTypeOfSymbol(symbol)
  const member = (type, name) => {
    const symbol = type && checker.getPropertyOfType(type, name)
    return symbol && typeOf(symbol)
  }
  function walk(record, prefix) {
    for (const symbol of checker.getPropertiesOfType(record)) {
      const type = typeOf(symbol)
      const types = member(member(type, '_def'), '$types')
      if (!types) walk(type, `${prefix}${symbol.name}.`)
      else
        procedures[prefix + symbol.name] = {
          summary: ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, ' '),
          answer: schemas.answer(member(types, 'output')),
        }
    }
  }
  walk(member(member(typeOf(router), '_def'), 'record'), '')
  return { procedures, schemas: schemas.named }
}
