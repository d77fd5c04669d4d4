import { $isListNode, INSERT_ORDERED_LIST_COMMAND, INSERT_UNORDERED_LIST_COMMAND, ListNode } from '@lexical/list'
import { useLexicalComposerContext } from '@lexical/react/LexicalComposerContext'
import { $createHeadingNode, $createQuoteNode, $isHeadingNode } from '@lexical/rich-text'
import { $setBlocksType } from '@lexical/selection'
import { $getNearestNodeOfType, mergeRegister } from '@lexical/utils'
import {
  $createParagraphNode,
  $getSelection,
  $isRangeSelection,
  CAN_REDO_COMMAND,
  CAN_UNDO_COMMAND,
  COMMAND_PRIORITY_LOW,
  FORMAT_TEXT_COMMAND,
  REDO_COMMAND,
  UNDO_COMMAND,
  type ElementNode,
} from 'lexical'
import { Bold, Heading2, Heading3, Italic, List, ListOrdered, Pilcrow, Quote, Redo2, Undo2 } from 'lucide-react'
import { useEffect, useState, type ReactNode } from 'react'

import { cx } from '@/ui/cx'

interface Active {
  bold: boolean
  italic: boolean
  block: string
}

export function Toolbar({ disabled }: { disabled: boolean }) {
  const [editor] = useLexicalComposerContext()
  const [active, setActive] = useState<Active>({ bold: false, italic: false, block: 'paragraph' })
  const [can, setCan] = useState({ undo: false, redo: false })

  useEffect(
    () =>
      mergeRegister(
        editor.registerUpdateListener(({ editorState }) => editorState.read(() => setActive($active()))),
        editor.registerCommand(
          CAN_UNDO_COMMAND,
          (undo) => (setCan((c) => ({ ...c, undo })), false),
          COMMAND_PRIORITY_LOW,
        ),
        editor.registerCommand(
          CAN_REDO_COMMAND,
          (redo) => (setCan((c) => ({ ...c, redo })), false),
          COMMAND_PRIORITY_LOW,
        ),
      ),
    [editor],
  )

  const toBlock = (create: () => ElementNode) => () =>
    editor.update(() => {
      const selection = $getSelection()
      if ($isRangeSelection(selection)) $setBlocksType(selection, create)
    })
  const block = active.block
  return (
    <div role="toolbar" aria-label="Formatting" className="flex flex-wrap items-center gap-0.5">
      <Tool
        label="Bold"
        on={active.bold}
        disabled={disabled}
        onClick={() => editor.dispatchCommand(FORMAT_TEXT_COMMAND, 'bold')}
      >
        <Bold />
      </Tool>
      <Tool
        label="Italic"
        on={active.italic}
        disabled={disabled}
        onClick={() => editor.dispatchCommand(FORMAT_TEXT_COMMAND, 'italic')}
      >
        <Italic />
      </Tool>
      <Divider />
      <Tool label="Text" on={block === 'paragraph'} disabled={disabled} onClick={toBlock($createParagraphNode)}>
        <Pilcrow />
      </Tool>
      <Tool label="Heading" on={block === 'h2'} disabled={disabled} onClick={toBlock(() => $createHeadingNode('h2'))}>
        <Heading2 />
      </Tool>
      <Tool
        label="Subheading"
        on={block === 'h3'}
        disabled={disabled}
        onClick={toBlock(() => $createHeadingNode('h3'))}
      >
        <Heading3 />
      </Tool>
      <Tool
        label="Bulleted list"
        on={block === 'bullet'}
        disabled={disabled}
        onClick={() => editor.dispatchCommand(INSERT_UNORDERED_LIST_COMMAND, undefined)}
      >
        <List />
      </Tool>
      <Tool
        label="Numbered list"
        on={block === 'number'}
        disabled={disabled}
        onClick={() => editor.dispatchCommand(INSERT_ORDERED_LIST_COMMAND, undefined)}
      >
        <ListOrdered />
      </Tool>
      <Tool label="Quote" on={block === 'quote'} disabled={disabled} onClick={toBlock($createQuoteNode)}>
        <Quote />
      </Tool>
      <span className="flex items-center gap-0.5 max-sm:hidden">
        <Divider />
        <Tool
          label="Undo"
          disabled={disabled || !can.undo}
          onClick={() => editor.dispatchCommand(UNDO_COMMAND, undefined)}
        >
          <Undo2 />
        </Tool>
        <Tool
          label="Redo"
          disabled={disabled || !can.redo}
          onClick={() => editor.dispatchCommand(REDO_COMMAND, undefined)}
        >
          <Redo2 />
        </Tool>
      </span>
    </div>
  )
}

function $active(): Active {
  const selection = $getSelection()
  if (!$isRangeSelection(selection)) return { bold: false, italic: false, block: 'none' }
  const anchor = selection.anchor.getNode()
  const list = $getNearestNodeOfType(anchor, ListNode)
  const top = anchor.getTopLevelElement()
  let block: string = top?.getType() ?? 'none'
  if ($isListNode(list)) block = list.getListType()
  else if ($isHeadingNode(top)) block = top.getTag()
  return { bold: selection.hasFormat('bold'), italic: selection.hasFormat('italic'), block }
}

function Tool({
  label,
  on,
  disabled,
  onClick,
  children,
}: {
  label: string
  on?: boolean
  disabled?: boolean
  onClick: () => void
  children: ReactNode
}) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      aria-pressed={on}
      disabled={disabled}
      // The selection in the text must survive the click.
      onMouseDown={(e) => e.preventDefault()}
      onClick={onClick}
      className={cx(
        'inline-flex size-8 items-center justify-center rounded-md disabled:opacity-35 [&_svg]:size-4',
        on ? 'bg-accent-soft text-accent-ink' : 'text-ink-2 not-disabled:hover:bg-sunken',
      )}
    >
      {children}
    </button>
  )
}

const Divider = () => <span className="mx-1 h-5 w-px bg-line" aria-hidden />
