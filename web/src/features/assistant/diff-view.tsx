import { Fragment } from 'react'

import type { DiffBlock } from '@/api'

/** Old and new text in one: what goes is struck through, what comes is underlined. */
export function DiffView({ blocks }: { blocks: DiffBlock[] }) {
  return (
    <div className="prose whitespace-pre-wrap">
      {blocks.map((block, i) => {
        const before = block.before ?? ''
        const after = block.after ?? ''
        if (block.type === 'equal') return <Fragment key={i}>{after || before}</Fragment>
        return (
          <Fragment key={i}>
            {before && <Removed text={before} />}
            {after && <Added text={after} />}
          </Fragment>
        )
      })}
    </div>
  )
}

function Removed({ text }: { text: string }) {
  return (
    <del className="rounded-sm bg-danger-soft text-danger decoration-danger/60 box-decoration-clone">
      <span className="sr-only">Removed: </span>
      {text}
    </del>
  )
}

function Added({ text }: { text: string }) {
  return (
    <ins className="rounded-sm bg-ok-soft text-ok no-underline box-decoration-clone">
      <span className="sr-only">Added: </span>
      {text}
    </ins>
  )
}

/** How much of a text a revision touches, for a person: "about a third". */
export function changeInWords(blocks: DiffBlock[]): string {
  let same = 0
  let changed = 0
  for (const block of blocks) {
    const size = Math.max(block.before?.length ?? 0, block.after?.length ?? 0)
    if (block.type === 'equal') same += size
    else changed += size
  }
  const share = changed / Math.max(1, same + changed)
  if (share === 0) return 'no change'
  if (share < 0.15) return 'a small change'
  if (share < 0.4) return 'about a third changed'
  if (share < 0.6) return 'about half changed'
  if (share < 0.95) return 'most of it changed'
  return 'rewritten'
}
