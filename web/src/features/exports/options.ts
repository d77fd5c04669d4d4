/** What can be asked of a file, and what was asked for last. */

import type { ExportLayout, ExportOptions } from '@/api'

export interface Options {
  paper: '' | 'a4' | 'letter'
  margin: string
  font: '' | 'sans' | 'arial' | 'serif'
  size: string
  spacing: string
  pageLimit: string
  language: string
  cover: boolean
  contents: boolean
  disclosure: boolean
  standardTemplate: boolean
}

export const DEFAULTS: Options = {
  paper: '',
  margin: '',
  font: '',
  size: '',
  spacing: '',
  pageLimit: '',
  language: '',
  cover: true,
  contents: true,
  disclosure: false,
  standardTemplate: false,
}

const KEY = 'bidwright.export-options'

export function rememberOptions(options: Options): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(options))
  } catch {
    // No storage: the next visit begins with the defaults.
  }
}

export function rememberedOptions(): Options {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null')
    if (value && typeof value === 'object') {
      const known = Object.entries(value).filter(
        ([name, one]) => name in DEFAULTS && typeof one === typeof DEFAULTS[name as keyof Options],
      )
      return { ...DEFAULTS, ...Object.fromEntries(known) }
    }
  } catch {
    // Unreadable: as if there were none.
  }
  return DEFAULTS
}

/** How many options are not as the template has them. */
export const changed = (options: Options): number =>
  (Object.keys(DEFAULTS) as (keyof Options)[]).filter((name) => options[name] !== DEFAULTS[name]).length

/** As the API takes them: what is empty is left to the template. */
export function asRequest(options: Options): ExportOptions {
  const number = (text: string): number | undefined => (text.trim() ? Number(text) : undefined)
  const layout: ExportLayout = {
    paper: options.paper || undefined,
    margin_mm: number(options.margin),
    font: options.font || undefined,
    size_pt: number(options.size),
    line_spacing: number(options.spacing),
    language: options.language || undefined,
    cover: options.cover,
    contents: options.contents,
    page_limit: number(options.pageLimit),
  }
  return {
    layout,
    ai_disclosure: options.disclosure,
    template: options.standardTemplate ? 'standard' : 'organisation',
  }
}
