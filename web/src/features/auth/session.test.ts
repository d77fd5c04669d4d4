import { describe, expect, it } from 'vitest'

import { safeNext } from './session'

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
