import { useMutation } from '@tanstack/react-query'

import { api, keys, queryClient } from '@/api'
import { plural } from '@/ui/format'
import { toast } from '@/ui/toast'

/** Plans the sections of a proposal from its call. */
export function usePlan(proposalId: string) {
  return useMutation({
    mutationFn: () => api.plan(proposalId),
    onSuccess: async () => {
      const before = count(proposalId)
      await queryClient.invalidateQueries({ queryKey: keys.sections(proposalId) })
      void queryClient.invalidateQueries({ queryKey: keys.proposal(proposalId) })
      // The first plan fills an empty page, which says enough; a new one may look the same.
      if (before > 0) {
        toast.show({
          title: 'The plan is ready',
          description: `${plural(count(proposalId), 'section')}, as the call asks for them.`,
        })
      }
    },
  })
}

const count = (proposalId: string): number =>
  queryClient.getQueryData<unknown[]>(keys.sections(proposalId))?.length ?? 0
