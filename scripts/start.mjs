// npm start: installs and builds what is missing or old, then serves the console in this very process.
// Old syntax on purpose down to the version check: an old Node shall say a sentence.
import('./lib.mjs').then(async ({ build, checkNode, fail, install }) => {
  try {
    checkNode()
    await install()
    await build()
  } catch (error) {
    fail(error)
  }
  await import('../dist/main.mjs')
})
