import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'

import { api, keys, queryClient, type Section } from '@/api'
import type { Autosave } from '@/features/editor/autosave'
import { putSection } from '@/features/editor/use-autosave'
import { toast } from '@/ui/toast'

interface SectionTitleProps {
  section: Section
  editable: boolean
  autosave: Autosave<Section>
}

/** The title, edited in place: Enter or leaving the field saves, Escape gives up. */
export function SectionTitle({ section, editable, autosave }: SectionTitleProps) {
  const [value, setValue] = useState<string | null>(null)
  const rename = useMutation({
    mutationFn: async (title: string) => {
      // Title and text share one revision, so the text is saved first.
      await autosave.flush()
      return api.saveSection(section.id, autosave.revision, { title })
    },
    onSuccess: (saved) => {
      autosave.adopt({ revision: saved.revision, text: autosave.text })
      putSection(saved)
      void queryClient.invalidateQueries({ queryKey: keys.proposal(saved.proposal_id) })
    },
    onError: toast.error,
    onSettled: () => setValue(null),
  })
  if (!editable)
    return <h2 className="min-w-0 font-serif text-[1.6rem] leading-tight font-semibold">{section.title}</h2>

  const commit = () => {
    const title = value?.trim()
    if (!title || title === section.title) setValue(null)
    else rename.mutate(title)
  }
  return (
    <h2 className="min-w-48 flex-1">
      <textarea
        aria-label="Section title"
        rows={1}
        value={value ?? section.title}
        maxLength={300}
        disabled={rename.isPending}
        onChange={(e) => setValue(e.target.value.replace(/\s*\n\s*/g, ' '))}
        onBlur={commit}
        onKeyDown={(e) => {
          if (e.key === 'Enter') {
            e.preventDefault()
            e.currentTarget.blur()
          }
          if (e.key === 'Escape') setValue(null)
        }}
        className="-mx-2 block field-sizing-content w-[calc(100%+1rem)] resize-none rounded-lg bg-transparent px-2 py-0.5 font-serif text-[1.6rem] leading-tight font-semibold outline-none hover:bg-sunken focus:bg-sunken"
      />
    </h2>
  )
}
