import { useEffect } from 'react'

const HIGHLIGHT = 'place'
const PATIENCE_MS = 4_000
const ENOUGH = 60

/** `12-80` as the characters of a text; nothing else is a place. */
export function readPlace(at: string | undefined): { start: number; end: number } | null {
  const found = /^(\d{1,7})-(\d{1,7})$/.exec(at ?? '')
  if (!found) return null
  const [start, end] = [Number(found[1]), Number(found[2])]
  return start < end ? { start, end } : null
}

/** The beginning of some Markdown as a reader sees it, without blanks. */
export const seen = (markdown: string): string =>
  markdown
    .replace(/^\s*(?:[-*+]|\d{1,2}[.)]|#{1,6}|>)\s+/gm, '')
    .replace(/\]\([^)]*\)/g, ']')
    .replace(/[\\*_`~]|\s/g, '')
    .slice(0, ENOUGH)

/** Where the words stand in what is shown, as a range over its text nodes. */
export function findWords(root: Node, wanted: string): Range | null {
  const places: [Text, number][] = []
  let shown = ''
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const node = walker.currentNode as Text
    for (let i = 0; i < node.data.length; i++) {
      const char = node.data[i] ?? ''
      if (/[\s\\*_`~]/.test(char)) continue
      shown += char
      places.push([node, i])
    }
  }
  const first = wanted ? shown.indexOf(wanted) : -1
  const [from, to] = [places[first], places[first + wanted.length - 1]]
  if (!from || !to) return null
  const range = document.createRange()
  range.setStart(...from)
  range.setEnd(to[0], to[1] + 1)
  return range
}

/** Brings a place of the section's text into view and marks it, once the editor is there. */
export function useJump(text: string, at: string | undefined): void {
  useEffect(() => {
    const place = readPlace(at)
    if (!place) return
    const words = seen(text.slice(place.start, place.end))
    const until = Date.now() + PATIENCE_MS
    const timer = setInterval(() => {
      const box = document.querySelector('#section-text [aria-label^="Text of "]')
      const found = box && (box instanceof HTMLTextAreaElement ? select(box, place) : show(box, words))
      if (found || Date.now() > until) clearInterval(timer)
    }, 100)
    return () => {
      clearInterval(timer)
      CSS.highlights.delete(HIGHLIGHT)
    }
    // The place is one of the text as it was opened; what is written since does not jump again.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [at])
}

function show(box: Element, words: string): boolean {
  const range = findWords(box, words)
  if (!range) return false
  CSS.highlights.set(HIGHLIGHT, new Highlight(range))
  range.startContainer.parentElement?.scrollIntoView({ block: 'center' })
  return true
}

function select(box: HTMLTextAreaElement, { start, end }: { start: number; end: number }): boolean {
  box.focus()
  box.setSelectionRange(start, end)
  return true
}
