/** Markdown in and out of the editor. The document's truth is the Markdown; the editor only shows it. */

import { CodeNode } from '@lexical/code'
import { LinkNode } from '@lexical/link'
import { ListItemNode, ListNode } from '@lexical/list'
import {
  $convertFromMarkdownString,
  $convertToMarkdownString,
  BOLD_ITALIC_STAR,
  BOLD_ITALIC_UNDERSCORE,
  BOLD_STAR,
  BOLD_UNDERSCORE,
  CODE,
  HEADING,
  INLINE_CODE,
  ITALIC_STAR,
  ITALIC_UNDERSCORE,
  LINK,
  ORDERED_LIST,
  QUOTE,
  STRIKETHROUGH,
  UNORDERED_LIST,
  type Transformer,
} from '@lexical/markdown'
import { HeadingNode, QuoteNode } from '@lexical/rich-text'
import { createEditor, type EditorThemeClasses, type Klass, type LexicalNode } from 'lexical'

export const NODES: Klass<LexicalNode>[] = [HeadingNode, QuoteNode, ListNode, ListItemNode, LinkNode, CodeNode]

export const TRANSFORMERS: Transformer[] = [
  HEADING,
  QUOTE,
  UNORDERED_LIST,
  ORDERED_LIST,
  CODE,
  INLINE_CODE,
  BOLD_ITALIC_STAR,
  BOLD_ITALIC_UNDERSCORE,
  BOLD_STAR,
  BOLD_UNDERSCORE,
  STRIKETHROUGH,
  ITALIC_STAR,
  ITALIC_UNDERSCORE,
  LINK,
]

export const THEME: EditorThemeClasses = {
  text: { bold: 'strong', italic: 'em', strikethrough: 'strike', code: 'inline-code' },
  list: { nested: { listitem: 'nested' } },
  code: 'code-block',
}

export const $load = (markdown: string): void => $convertFromMarkdownString(markdown, TRANSFORMERS)
export const $save = (): string => $convertToMarkdownString(TRANSFORMERS)

/** What the editor makes of a text when nobody touches it. */
export function roundTrip(markdown: string): string {
  const editor = createEditor({ nodes: NODES, onError: rethrow })
  editor.update(() => $load(markdown), { discrete: true })
  return editor.read($save)
}

/**
 * Whether the editor keeps everything of a text. Tables, HTML or footnotes, which it does not know, must not be lost by
 * opening them: such a text is edited as Markdown source.
 */
export function isFaithful(markdown: string): boolean {
  if (/^\s*\|.*\|\s*$/m.test(markdown) || /^\[\^[^\]]+\]:/m.test(markdown) || /!\[[^\]]*\]\(/.test(markdown))
    return false
  try {
    return essence(roundTrip(markdown)) === essence(markdown)
  } catch {
    return false
  }
}

/** The text without what Markdown lets one write in several ways. */
function essence(markdown: string): string {
  return markdown
    .replaceAll('\r\n', '\n')
    .replace(/^(\s*)[*+-]\s+/gm, '$1- ')
    .replace(/^(\s*)\d+[.)]\s+/gm, '$11. ')
    .replaceAll(/__(?=\S)(.+?)__/g, '**$1**')
    .replaceAll(/(?<![\w*])_(?=\S)(.+?)_(?!\w)/g, '*$1*')
    .replaceAll(/\\([\\`*_{}[\]()#+\-.!|>~<])/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

function rethrow(error: Error): never {
  throw error
}
