import { Switch } from '@base-ui/react/switch'
import { useMutation } from '@tanstack/react-query'
import { useId } from 'react'

import { api, meQuery, queryClient, type Me } from '@/api'
import { toast } from '@/ui/toast'

import { freshly } from './fresh'
import { tellOf } from './tell'

/** Whether a password alone is not enough. */
export function SecondFactorSwitch({ user, mayTurnOn }: { user: Me['user']; mayTurnOn: boolean }) {
  const id = useId()
  const on = user.second_factor
  const change = useMutation({
    mutationFn: (next: boolean) => freshly(() => api.setSecondFactor(next)),
    onSuccess: (me) => {
      queryClient.setQueryData(meQuery.queryKey, me)
      toast.show(
        me.user.second_factor
          ? { title: 'Passkey asked for', description: 'Your password alone does not sign in any more.' }
          : { title: 'Password alone is enough again' },
      )
    },
    onError: tellOf,
  })
  return (
    <div className="flex items-start gap-4 rounded-xl bg-sunken px-4 py-3">
      <div className="min-w-0 flex-1">
        <p id={id} className="font-medium">
          Ask for a passkey after the password
        </p>
        <p id={`${id}-note`} className="mt-0.5 text-[0.93rem] text-ink-2">
          {on || mayTurnOn
            ? 'Whoever learns your password still cannot get in. Keep two passkeys, in case you lose a device.'
            : 'Add a passkey first; then you can turn this on.'}
        </p>
      </div>
      <Switch.Root
        aria-labelledby={id}
        aria-describedby={`${id}-note`}
        checked={on}
        disabled={change.isPending || (!on && !mayTurnOn)}
        onCheckedChange={(next) => change.mutate(next)}
        className="mt-0.5 flex h-6 w-10.5 shrink-0 items-center rounded-full bg-line-strong p-0.5 transition-colors data-checked:bg-accent data-disabled:cursor-not-allowed data-disabled:opacity-55"
      >
        <Switch.Thumb className="size-5 rounded-full bg-surface shadow-card transition-transform data-checked:translate-x-4.5" />
      </Switch.Root>
    </div>
  )
}
