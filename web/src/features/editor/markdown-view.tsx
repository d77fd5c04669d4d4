import { createEditor } from 'lexical'
import { useEffect, useRef, useState } from 'react'

import { cx } from '@/ui/cx'

import { $load, NODES, THEME } from './markdown'

/** A Markdown text for reading; may grow many times a second. */
export default function MarkdownView({ text, growing = false }: { text: string; growing?: boolean }) {
  const root = useRef<HTMLDivElement>(null)
  const shown = useThrottled(text, growing ? 120 : 0)
  const [editor] = useState(() =>
    createEditor({
      namespace: 'view',
      nodes: NODES,
      theme: THEME,
      editable: false,
      onError: (error) => {
        throw error
      },
    }),
  )
  useEffect(() => {
    editor.setRootElement(root.current)
    return () => editor.setRootElement(null)
  }, [editor])
  useEffect(() => {
    editor.update(() => $load(shown), { discrete: true })
  }, [editor, shown])
  return <div ref={root} className={cx('prose', growing && 'caret-after')} />
}

/** Follows a value, at most once in `ms`. */
function useThrottled(value: string, ms: number): string {
  const [shown, setShown] = useState(value)
  const latest = useRef(value)
  const waiting = useRef(false)
  useEffect(() => {
    latest.current = value
    if (ms === 0) {
      setShown(value)
      return
    }
    if (waiting.current) return
    waiting.current = true
    setTimeout(() => {
      waiting.current = false
      setShown(latest.current)
    }, ms)
  }, [value, ms])
  return shown
}
