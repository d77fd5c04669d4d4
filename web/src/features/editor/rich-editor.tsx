import { HistoryPlugin } from '@lexical/react/LexicalHistoryPlugin'
import { LexicalComposer } from '@lexical/react/LexicalComposer'
import { useLexicalComposerContext } from '@lexical/react/LexicalComposerContext'
import { ContentEditable } from '@lexical/react/LexicalContentEditable'
import { LexicalErrorBoundary } from '@lexical/react/LexicalErrorBoundary'
import { LinkPlugin } from '@lexical/react/LexicalLinkPlugin'
import { ListPlugin } from '@lexical/react/LexicalListPlugin'
import { MarkdownShortcutPlugin } from '@lexical/react/LexicalMarkdownShortcutPlugin'
import { RichTextPlugin } from '@lexical/react/LexicalRichTextPlugin'
import { useEffect, useRef, type ReactNode } from 'react'

import { $load, $save, NODES, THEME, TRANSFORMERS } from './markdown'
import { Toolbar } from './toolbar'

interface RichEditorProps {
  /** Read once; give the editor another key to show another text. */
  initial: string
  label: string
  editable: boolean
  onChange: (markdown: string) => void
  /** Stands at the end of the toolbar. */
  tools?: ReactNode
}

export default function RichEditor({ initial, label, editable, onChange, tools }: RichEditorProps) {
  return (
    <LexicalComposer
      initialConfig={{
        namespace: 'section',
        nodes: NODES,
        theme: THEME,
        editable,
        editorState: () => $load(initial),
        onError: (error) => {
          throw error
        },
      }}
    >
      <div className="sticky top-15 z-1 flex items-center gap-2 border-b border-line bg-surface px-3 py-1.5 sm:px-8 xl:top-0">
        <Toolbar disabled={!editable} />
        <div className="ml-auto">{tools}</div>
      </div>
      <div className="relative">
        <RichTextPlugin
          contentEditable={
            <ContentEditable
              aria-label={label}
              aria-multiline
              className="prose min-h-72 px-5 py-6 outline-none sm:px-10 sm:py-8"
              aria-placeholder="Write here, or let the assistant draft it"
              placeholder={
                <p
                  className="prose pointer-events-none absolute top-0 left-0 px-5 py-6 text-ink-3! sm:px-10 sm:py-8"
                  aria-hidden
                >
                  Write here, or let the assistant draft it.
                </p>
              }
            />
          }
          ErrorBoundary={LexicalErrorBoundary}
        />
      </div>
      <HistoryPlugin />
      <ListPlugin />
      <LinkPlugin />
      <MarkdownShortcutPlugin transformers={TRANSFORMERS} />
      <Editable on={editable} />
      <Changes onChange={onChange} />
    </LexicalComposer>
  )
}

function Editable({ on }: { on: boolean }) {
  const [editor] = useLexicalComposerContext()
  useEffect(() => editor.setEditable(on), [editor, on])
  return null
}

/** Tells of changes to the text, not of the editor's own way to write the Markdown that it was given. */
function Changes({ onChange }: { onChange: (markdown: string) => void }) {
  const [editor] = useLexicalComposerContext()
  const tell = useRef(onChange)
  useEffect(() => {
    tell.current = onChange
  })
  useEffect(() => {
    let last = editor.getEditorState().read($save)
    return editor.registerUpdateListener(({ editorState, dirtyElements, dirtyLeaves }) => {
      if (dirtyElements.size === 0 && dirtyLeaves.size === 0) return
      const markdown = editorState.read($save)
      if (markdown === last) return
      last = markdown
      tell.current(markdown)
    })
  }, [editor])
  return null
}
