import { describe, expect, it } from 'vitest'

import { appPath, safeNext } from './session'

describe('safeNext', () => {
  it('keeps a path of our own', () => {
    expect(safeNext('/proposals/1?section=2')).toBe('/proposals/1?section=2')
  })

  it.each([undefined, '', 'https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
    'refuses %j',
    (next) => {
      expect(safeNext(next)).toBeNull()
    },
  )
})

describe('appPath', () => {
  it.each([
    ['/app/billing?x=1', '/billing?x=1'],
    ['/billing', '/billing'],
    ['/app', undefined],
    ['//evil.example', undefined],
    [undefined, undefined],
  ])('%j is %j', (next, path) => {
    expect(appPath(next)).toBe(path)
  })
})
