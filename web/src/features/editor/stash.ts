/** Text that could not be saved survives the page: the next visit of the section brings it back. */

import type { Version } from './autosave'

const key = (sectionId: string): string => `bidwright.unsaved.${sectionId}`

export function stash(sectionId: string, version: Version): void {
  try {
    localStorage.setItem(key(sectionId), JSON.stringify(version))
  } catch {
    // No storage: the text lives as long as the page.
  }
}

export function unstash(sectionId: string): void {
  try {
    localStorage.removeItem(key(sectionId))
  } catch {
    // As above.
  }
}

export function stashed(sectionId: string): Version | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key(sectionId)) ?? 'null')
    if (value && typeof value === 'object' && 'text' in value && 'revision' in value) return value as Version
  } catch {
    // Unreadable: as if there were none.
  }
  return null
}
