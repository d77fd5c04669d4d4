import { useState, type ReactNode } from 'react'

import { isFaithful } from './markdown'
import RichEditor from './rich-editor'
import { SourceEditor } from './source-editor'

interface TextEditorProps {
  /** Read once; give the editor another key to show another text. */
  initial: string
  label: string
  editable: boolean
  /** What the person chose; null leaves it to the text. */
  source: boolean | null
  onChange: (markdown: string) => void
  toggle: (source: boolean) => ReactNode
}

/** The editor for a Markdown text: formatted, or as source where formatting would lose something. */
export default function TextEditor({ initial, label, editable, source, onChange, toggle }: TextEditorProps) {
  const [text, setText] = useState(initial)
  const [mode, setMode] = useState(() => ({ source, start: initial, faithful: isFaithful(initial) }))
  if (source !== mode.source) {
    // The other editor starts from what the first one has made of the text.
    setMode({ source, start: text, faithful: isFaithful(text) })
  }
  const asSource = mode.source === true || !mode.faithful
  const change = (markdown: string) => {
    setText(markdown)
    onChange(markdown)
  }
  if (asSource) {
    const tools = mode.faithful ? (
      toggle(true)
    ) : (
      <span className="text-[0.85rem]">Has tables or notes, edited as source</span>
    )
    return <SourceEditor initial={mode.start} label={label} editable={editable} onChange={change} tools={tools} />
  }
  return <RichEditor initial={mode.start} label={label} editable={editable} onChange={change} tools={toggle(false)} />
}
