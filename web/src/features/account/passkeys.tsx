import { useMutation, useQuery } from '@tanstack/react-query'
import { KeyRound, Pencil, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'

import { api, keys, meQuery, passkeysQuery, queryClient, type Me, type Passkey } from '@/api'
import { createPasskey, passkeysWork } from '@/features/auth/webauthn'
import { Button, IconButton } from '@/ui/button'
import { ConfirmDialog } from '@/ui/dialog'
import { Badge, ErrorNotice, Loading, Notice } from '@/ui/feedback'
import { ago, date } from '@/ui/format'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'

import { freshly } from './fresh'
import { NameDialog } from './name-dialog'
import { SecondFactorSwitch } from './second-factor-switch'
import { tellOf } from './tell'

const refresh = () => queryClient.invalidateQueries({ queryKey: meQuery.queryKey })

export function Passkeys({ user }: { user: Me['user'] }) {
  const passkeys = useQuery(passkeysQuery)
  const [naming, setNaming] = useState<Passkey | 'new' | null>(null)
  const [removing, setRemoving] = useState<Passkey | null>(null)

  const add = useMutation({
    mutationFn: (name: string) =>
      freshly(async () => api.addPasskey(name, await createPasskey(await api.passkeyOptions()))),
    onSuccess: async ({ name }) => {
      toast.show({ title: 'Passkey added', description: `${name} now signs you in.` })
      await refresh()
    },
    onError: tellOf,
  })
  const rename = useMutation({
    mutationFn: ({ id, name }: { id: string; name: string }) => api.renamePasskey(id, name),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keys.passkeys }),
    onError: tellOf,
  })
  const remove = useMutation({
    mutationFn: (passkey: Passkey) => freshly(() => api.removePasskey(passkey.id)),
    onSuccess: async (_, { name }) => {
      toast.show({ title: 'Passkey removed', description: `${name} no longer signs you in.` })
      await refresh()
    },
    onError: tellOf,
  })

  return (
    <Section
      title="Passkeys"
      lead="Sign in with your fingerprint, your face or the lock of your device. A passkey cannot be guessed or phished."
      actions={
        passkeysWork() && (
          <Button size="sm" busy={add.isPending} onClick={() => setNaming('new')}>
            <Plus aria-hidden /> Add a passkey
          </Button>
        )
      }
    >
      {!passkeysWork() && <Notice>This browser knows no passkeys. Add one with another browser or device.</Notice>}
      {passkeys.isPending && <Loading label="Loading passkeys" rows={1} />}
      {passkeys.error && <ErrorNotice error={passkeys.error} onRetry={() => void passkeys.refetch()} />}
      {passkeys.data?.length === 0 && <p className="text-ink-3">No passkeys yet.</p>}
      {passkeys.data && passkeys.data.length > 0 && (
        <ul className="divide-y divide-line rounded-xl border border-line" aria-label="Passkeys">
          {passkeys.data.map((passkey) => (
            <Row
              key={passkey.id}
              passkey={passkey}
              onRename={() => setNaming(passkey)}
              onRemove={() => setRemoving(passkey)}
            />
          ))}
        </ul>
      )}
      <SecondFactorSwitch user={user} mayTurnOn={(passkeys.data?.length ?? 0) > 0} />
      <NameDialog
        open={naming !== null}
        title={naming === 'new' ? 'Add a passkey' : 'Rename the passkey'}
        description={
          naming === 'new' ? 'Give it a name by which you will know it again. Your browser asks next.' : undefined
        }
        initial={naming === 'new' || naming === null ? '' : naming.name}
        submit={naming === 'new' ? 'Continue' : 'Save'}
        onClose={() => setNaming(null)}
        onSubmit={(name) => {
          if (naming === 'new') add.mutate(name)
          else if (naming) rename.mutate({ id: naming.id, name })
          setNaming(null)
        }}
      />
      <ConfirmDialog
        open={removing !== null}
        onOpenChange={(open) => !open && setRemoving(null)}
        title={`Remove ${removing?.name ?? 'the passkey'}?`}
        confirm="Remove passkey"
        onConfirm={() => {
          if (removing) remove.mutate(removing)
          setRemoving(null)
        }}
      >
        It will not sign you in any more. Your device may still show it; delete it there as well.
      </ConfirmDialog>
    </Section>
  )
}

function Row({ passkey, onRename, onRemove }: { passkey: Passkey; onRename: () => void; onRemove: () => void }) {
  return (
    <li className="flex items-center gap-3 px-4 py-3">
      <KeyRound className="size-4.5 shrink-0 text-ink-3" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="max-w-full truncate font-medium">{passkey.name}</span>
          {passkey.synced && <Badge>Synced</Badge>}
        </p>
        <p className="text-[0.87rem] text-ink-3">
          Added {date(passkey.created_at)} ·{' '}
          {passkey.last_used_at ? `used ${ago(passkey.last_used_at)}` : 'not used yet'}
        </p>
      </div>
      <IconButton label={`Rename ${passkey.name}`} onClick={onRename}>
        <Pencil aria-hidden />
      </IconButton>
      <IconButton label={`Remove ${passkey.name}`} onClick={onRemove}>
        <Trash2 aria-hidden />
      </IconButton>
    </li>
  )
}
