import { beforeEach, describe, expect, it } from 'vitest'

import { asRequest, changed, DEFAULTS, rememberedOptions, rememberOptions } from './options'

describe('export options', () => {
  beforeEach(() => localStorage.clear())

  it('ask for nothing that the template decides', () => {
    expect(JSON.parse(JSON.stringify(asRequest(DEFAULTS)))).toEqual({
      layout: { cover: true, contents: true },
      ai_disclosure: false,
      template: 'organisation',
    })
    expect(changed(DEFAULTS)).toBe(0)
  })

  it('are remembered, and what is no option is forgotten', () => {
    rememberOptions({ ...DEFAULTS, paper: 'letter', pageLimit: '12' })
    expect(rememberedOptions()).toEqual({ ...DEFAULTS, paper: 'letter', pageLimit: '12' })
    localStorage.setItem('bidwright.export-options', '{"cover":"yes","evil":1,"size":"11"}')
    expect(rememberedOptions()).toEqual({ ...DEFAULTS, size: '11' })
    localStorage.setItem('bidwright.export-options', '{')
    expect(rememberedOptions()).toEqual(DEFAULTS)
  })

  it('send numbers as numbers', () => {
    const { layout } = asRequest({ ...DEFAULTS, size: '11.5', pageLimit: ' 10 ', margin: '20' })
    expect(layout).toMatchObject({ size_pt: 11.5, page_limit: 10, margin_mm: 20 })
  })
})
