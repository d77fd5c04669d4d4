/** How provenance is said. */

import type { Provenance } from '@/api'

export const BY: Record<keyof Provenance['words'], string> = {
  person: 'Person',
  model: 'AI',
  both: 'Person and AI',
}

/** `120 words: 50% by people, 30% by AI, 20% by both`, as whole numbers that make a hundred. */
export function summary(words: Provenance['words']): string {
  const total = words.person + words.model + words.both
  if (total === 0) return 'No words yet.'
  const parts = [
    { by: 'by people', exact: (words.person * 100) / total },
    { by: 'by AI', exact: (words.model * 100) / total },
    { by: 'by both', exact: (words.both * 100) / total },
  ].map((part) => ({ ...part, share: Math.floor(part.exact) }))
  const left = 100 - parts.reduce((sum, part) => sum + part.share, 0)
  const largest = [...parts].sort((a, b) => b.exact - b.share - (a.exact - a.share)).slice(0, left)
  for (const part of largest) part.share += 1
  const said = parts.filter((part) => part.exact > 0).map((part) => `${part.share}% ${part.by}`)
  return `${total} ${total === 1 ? 'word' : 'words'}: ${said.join(', ')}.`
}
