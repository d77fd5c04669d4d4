/** Gaps that a draft leaves for the person, where nothing was given to say. */
export function countGaps(markdown: string): number {
  return markdown.match(/\\?\[To complete:/g)?.length ?? 0
}

/** How many words a Markdown text has, for a person who counts pages. */
export function countWords(markdown: string): number {
  return markdown.match(/[\p{L}\p{N}][\p{L}\p{N}’'-]*/gu)?.length ?? 0
}
