import { useMutation } from '@tanstack/react-query'

import { api, keys, queryClient, type Requirement, type Section } from '@/api'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { ErrorNotice } from '@/ui/feedback'

interface MappingProps {
  proposalId: string
  requirement: Requirement
  sections: Section[]
  onClose: () => void
}

/** Says which sections answer a requirement. */
export function MappingDialog({ proposalId, requirement, sections, onClose }: MappingProps) {
  const answering = new Set(requirement.sections.map((section) => section.id))
  const save = useMutation({
    mutationFn: (sectionIds: string[]) => api.mapRequirement(proposalId, requirement.id, sectionIds),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: keys.compliance(proposalId) })
      onClose()
    },
  })
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title="Which sections answer this?">
      <form
        className="space-y-4"
        onSubmit={(e) => {
          e.preventDefault()
          save.mutate(new FormData(e.currentTarget).getAll('section').map(String))
        }}
      >
        {save.error && <ErrorNotice error={save.error} />}
        <blockquote className="border-l-2 border-line-strong pl-3 text-ink-2">{requirement.words}</blockquote>
        <fieldset className="space-y-2">
          <legend className="mb-2 text-[0.93rem] font-medium">Sections</legend>
          {sections.map((section) => (
            <label key={section.id} className="flex items-start gap-2.5">
              <input
                type="checkbox"
                name="section"
                value={section.id}
                defaultChecked={answering.has(section.id)}
                className="mt-1 size-4 shrink-0 accent-accent"
              />
              <span className="min-w-0 break-words">{section.title}</span>
            </label>
          ))}
          {sections.length === 0 && <p className="text-ink-3">The proposal has no sections yet.</p>}
        </fieldset>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
