import { useMutation } from '@tanstack/react-query'

import { api, keys, queryClient } from '@/api'
import { toast } from '@/ui/toast'

/** Plans the sections of a proposal from its call. */
export function usePlan(proposalId: string) {
  return useMutation({
    mutationFn: () => api.plan(proposalId),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: keys.sections(proposalId) })
      void queryClient.invalidateQueries({ queryKey: keys.proposal(proposalId) })
      const count = queryClient.getQueryData<unknown[]>(keys.sections(proposalId))?.length ?? 0
      toast.show({ title: 'The plan is ready', description: `${count} sections, as the call asks for them.` })
    },
  })
}
