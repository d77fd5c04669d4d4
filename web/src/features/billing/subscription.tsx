import { useMutation } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'

import { api, queryClient, usageQuery, type Usage } from '@/api'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { ErrorNotice, Notice } from '@/ui/feedback'
import { TextField } from '@/ui/field'
import { date, money, plural } from '@/ui/format'
import { toast } from '@/ui/toast'

type Plan = NonNullable<Usage['subscription']>

/** Usage, invoices and the plan are asked for again. */
const refresh = () => queryClient.invalidateQueries({ queryKey: usageQuery().queryKey })

/** What can be done with the plan here; cards and other plans are the payment service's part. */
export function PlanActions({ usage, plan }: { usage: Usage; plan: Plan }) {
  const [open, setOpen] = useState<'seats' | 'cancel' | null>(null)
  const close = () => setOpen(null)
  const resume = useMutation({
    mutationFn: api.resumePlan,
    onSuccess: async () => {
      await refresh()
      toast.show({ title: 'Your plan goes on', description: 'It renews as before.' })
    },
    onError: toast.error,
  })
  return (
    <>
      <Button size="sm" onClick={() => setOpen('seats')}>
        Change seats
      </Button>
      {plan.cancel_at_period_end ? (
        <Button size="sm" variant="primary" busy={resume.isPending} onClick={() => resume.mutate()}>
          Resume the plan
        </Button>
      ) : (
        <Button size="sm" variant="ghost" onClick={() => setOpen('cancel')}>
          Cancel the plan
        </Button>
      )}
      <Dialog
        open={open === 'seats'}
        onOpenChange={close}
        title="Change seats"
        description={`${plural(usage.usage.seats, 'person is a member', 'people are members')}. You see the price before anything changes.`}
      >
        <Seats now={plan.seats ?? 1} members={usage.usage.seats} onDone={close} />
      </Dialog>
      <Dialog open={open === 'cancel'} onOpenChange={close} title="Cancel the plan?">
        <Cancel plan={plan} onDone={close} />
      </Dialog>
    </>
  )
}

function Seats({ now, members, onDone }: { now: number; members: number; onDone: () => void }) {
  const [seats, setSeats] = useState(now)
  const preview = useMutation({ mutationFn: api.previewSeats })
  const change = useMutation({
    mutationFn: api.setSeats,
    onSuccess: async () => {
      await refresh()
      toast.show({ title: `You have ${plural(seats, 'seat')} now` })
      onDone()
    },
  })
  const lowest = Math.max(1, members)
  const shown = preview.data?.seats === seats ? preview.data : undefined
  const refused = change.error ?? preview.error
  const edit = (value: number) => {
    setSeats(value)
    preview.reset()
    change.reset()
  }
  return (
    <form
      className="space-y-5"
      onSubmit={(e) => {
        e.preventDefault()
        if (shown) change.mutate({ seats, prorated_at: shown.prorated_at })
        else preview.mutate(seats)
      }}
    >
      <TextField
        label="Seats"
        type="number"
        inputMode="numeric"
        min={lowest}
        max={1000}
        required
        value={Number.isNaN(seats) ? '' : seats}
        onChange={(e) => edit(e.target.valueAsNumber)}
        hint={lowest > 1 ? `At least ${lowest}, as many as there are members.` : undefined}
      />
      <div aria-live="polite">
        {shown && (
          <dl className="space-y-1.5 rounded-xl bg-sunken px-4 py-3">
            <Row name={shown.credit > 0 ? 'Given back as credit' : 'To pay now'}>
              {money(shown.credit || shown.amount_due_now, shown.currency)}
            </Row>
            <Row name={shown.next_invoice_at ? `From ${date(shown.next_invoice_at)}` : 'From the next period on'}>
              {money(shown.next_invoice_amount, shown.currency)}
            </Row>
          </dl>
        )}
        {refused && <ErrorNotice error={refused} />}
      </div>
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onDone}>Leave it</Button>
        <Button
          type="submit"
          variant="primary"
          busy={preview.isPending || change.isPending}
          disabled={seats === now || !Number.isInteger(seats)}
        >
          {shown ? confirmation(shown.amount_due_now, shown.currency) : 'Show the price'}
        </Button>
      </div>
    </form>
  )
}

const confirmation = (due: number, currency: string): string =>
  due > 0 ? `Pay ${money(due, currency)} and change` : 'Change the seats'

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-4">
      <dt className="text-ink-2">{name}</dt>
      <dd className="font-medium tabular-nums">{children}</dd>
    </div>
  )
}

function Cancel({ plan, onDone }: { plan: Plan; onDone: () => void }) {
  const cancel = useMutation({
    mutationFn: api.cancelPlan,
    onSuccess: async (_, immediate) => {
      await refresh()
      toast.show({ title: immediate ? 'Your plan has ended' : 'Your plan will end with its period' })
      onDone()
    },
  })
  const end = plan.current_period_end
  const busy = (immediate: boolean) => cancel.isPending && cancel.variables === immediate
  return (
    <div className="space-y-5">
      <p>
        {end
          ? `The plan is paid until ${date(end)} and stays open until then.`
          : 'The plan stays open until its period ends.'}{' '}
        After that the organisation is on Free: reading and exporting stay open to everyone, and nothing is lost.
      </p>
      <Notice tone="warn">Ending it now gives nothing back for the rest of the period.</Notice>
      <div aria-live="polite">{cancel.error && <ErrorNotice error={cancel.error} />}</div>
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onDone}>Keep the plan</Button>
        <Button variant="danger" busy={busy(true)} disabled={cancel.isPending} onClick={() => cancel.mutate(true)}>
          End it now
        </Button>
        <Button variant="primary" busy={busy(false)} disabled={cancel.isPending} onClick={() => cancel.mutate(false)}>
          {end ? `End it on ${date(end)}` : 'End it with the period'}
        </Button>
      </div>
    </div>
  )
}
