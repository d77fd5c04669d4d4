import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ArchiveRestore, Trash2 } from 'lucide-react'
import { useState } from 'react'

import { api, keys, queryClient, removedSectionsQuery, type Section } from '@/api'
import { countWords } from '@/features/editor/words'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { plural } from '@/ui/format'
import { toast } from '@/ui/toast'

async function outlineChanged(proposalId: string): Promise<void> {
  await queryClient.invalidateQueries({ queryKey: keys.sections(proposalId) })
  void queryClient.invalidateQueries({ queryKey: keys.proposal(proposalId) })
  void queryClient.invalidateQueries({ queryKey: keys.proposals() })
}

function usePutBack(proposalId: string) {
  const navigate = useNavigate()
  return useMutation({
    mutationFn: (sectionId: string) => api.restoreSection(sectionId),
    onSuccess: async (section) => {
      await outlineChanged(proposalId)
      await navigate({
        to: '/proposals/$proposalId',
        params: { proposalId },
        search: { section: section.id },
        replace: true,
      })
    },
    onError: toast.error,
  })
}

/** Takes a section out of its proposal, with the way back. */
export function useRemoveSection(section: Section) {
  const { mutate: putBack } = usePutBack(section.proposal_id)
  return useMutation({
    mutationFn: () => api.removeSection(section.id),
    onSuccess: async () => {
      await outlineChanged(section.proposal_id)
      toast.show({
        title: 'Section removed',
        description: section.title,
        action: { label: 'Undo', onClick: () => putBack(section.id) },
        timeout: 9000,
      })
    },
    onError: toast.error,
  })
}

/** What was taken out of the proposal, to be put back; nothing where nothing was. */
export function RemovedSections({ proposalId }: { proposalId: string }) {
  const [open, setOpen] = useState(false)
  const removed = useQuery(removedSectionsQuery(proposalId)).data ?? []
  const back = usePutBack(proposalId)
  if (removed.length === 0) return null
  return (
    <>
      <Button variant="ghost" size="sm" className="w-full justify-start!" onClick={() => setOpen(true)}>
        <Trash2 aria-hidden /> Removed sections ({removed.length})
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title="Removed sections" description="With their text, as they were.">
        <ul className="divide-y divide-line">
          {removed.map((section) => (
            <li key={section.id} className="flex items-center gap-3 py-2.5">
              <span className="min-w-0 flex-1">
                <span className="block font-medium break-words">{section.title}</span>
                <span className="text-[0.87rem] text-ink-3">{plural(countWords(section.text), 'word')}</span>
              </span>
              <Button
                size="sm"
                aria-label={`Put back “${section.title}”`}
                busy={back.isPending && back.variables === section.id}
                onClick={() => back.mutate(section.id, { onSuccess: () => setOpen(false) })}
              >
                <ArchiveRestore aria-hidden /> Put back
              </Button>
            </li>
          ))}
        </ul>
      </Dialog>
    </>
  )
}
