import { writeFileSync } from 'node:fs'

/**
 * A Vitest reporter that writes { passed, failed: [{ name, message }], skipped: [{ name, reason }] } to the file
 * it is given.
 */
export default class Totals {
  constructor(options = {}) {
    this.file = options.file ?? process.env.HOLDFAST_TOTALS
  }

  onTestRunEnd(modules, unhandledErrors) {
    const totals = { passed: 0, failed: [], skipped: [] }
    const failed = (name, errors) => totals.failed.push({ name, message: errors?.[0]?.message ?? '' })
    for (const error of unhandledErrors) failed('an error outside every test', [error])
    for (const module of modules) {
      const file = module.relativeModuleId
      // A file that could not be loaded has no tests of its own, and failed all the same; so did one whose hook did.
      if (module.errors().length > 0) failed(file, module.errors())
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) failed(`${file} > ${suite.fullName}`, suite.errors())
      }
      for (const test of module.children.allTests()) {
        const { state, errors, note } = test.result()
        const name = `${file} > ${test.fullName}`
        if (state === 'passed') totals.passed++
        else if (state === 'failed') failed(name, errors)
        else totals.skipped.push({ name, reason: note ?? 'no reason given' })
      }
    }
    writeFileSync(this.file, JSON.stringify(totals))
  }
}
