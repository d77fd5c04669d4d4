import { useState, type ReactNode } from 'react'

interface SourceEditorProps {
  initial: string
  label: string
  editable: boolean
  onChange: (markdown: string) => void
  tools?: ReactNode
}

/** The text as Markdown, for what the rich editor does not know. */
export function SourceEditor({ initial, label, editable, onChange, tools }: SourceEditorProps) {
  const [value, setValue] = useState(initial)
  return (
    <>
      <div className="sticky top-15 z-1 flex min-h-11 items-center gap-2 border-b border-line bg-surface px-5 py-1.5 text-ink-3 sm:px-10 xl:top-0">
        Markdown source
        <div className="ml-auto">{tools}</div>
      </div>
      <textarea
        aria-label={label}
        value={value}
        readOnly={!editable}
        spellCheck
        onChange={(e) => {
          setValue(e.target.value)
          onChange(e.target.value)
        }}
        className="field-sizing-content min-h-96 w-full flex-1 resize-none bg-transparent px-5 py-6 font-mono text-[0.93rem] leading-relaxed outline-none sm:px-10"
      />
    </>
  )
}
