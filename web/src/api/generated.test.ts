import { readFileSync } from 'node:fs'

import openapiTS, { astToString } from 'openapi-typescript'
import { expect, it } from 'vitest'

it('the types are what `npm run generate` makes of openapi.json', async () => {
  const types = astToString(await openapiTS(readFileSync('openapi.json', 'utf8'), { defaultNonNullable: false }))
  // The tool puts a heading before them.
  expect(readFileSync('src/api/generated/schema.d.ts', 'utf8')).toContain(types.trimEnd())
})
