import { useMutation } from '@tanstack/react-query'
import { Check, ExternalLink, Sparkles } from 'lucide-react'
import { useState } from 'react'

import { api, queryClient, usageQuery, type Offers, type Order, type Price, type Tier } from '@/api'
import { Button } from '@/ui/button'
import { cx } from '@/ui/cx'
import { Badge, ErrorNotice } from '@/ui/feedback'
import { TextField } from '@/ui/field'
import { plural } from '@/ui/format'
import { toast } from '@/ui/toast'

import { rememberCheckout } from './checkout'

const PLANS: { tier: Tier; name: string; lead: string; points: string[]; prices: { price: Price; label: string }[] }[] =
  [
    {
      tier: 'free',
      name: 'Free',
      lead: 'To see how it works.',
      points: ['Section plan from any call', 'Write and approve by hand', 'Export as PDF, DOCX and Markdown'],
      prices: [],
    },
    {
      tier: 'pro',
      name: 'Pro',
      lead: 'For people who write proposals.',
      points: [
        'AI drafts and revisions',
        'New proposals every month, per seat',
        'Invite your team',
        'More storage, larger files',
      ],
      prices: [
        { price: 'pro_monthly', label: 'Upgrade to Pro, monthly' },
        { price: 'pro_yearly', label: 'Pay yearly instead' },
      ],
    },
    {
      tier: 'enterprise',
      name: 'Enterprise',
      lead: 'For organisations that live on grants.',
      points: ['Everything in Pro', 'The highest limits', 'As many seats as you need'],
      prices: [{ price: 'enterprise_monthly', label: 'Upgrade to Enterprise' }],
    },
  ]
const RANK: Record<Tier, number> = { free: 0, pro: 1, enterprise: 2 }

export function usePortal() {
  return useMutation({
    mutationFn: api.billingPortal,
    onSuccess: ({ url }) => location.assign(url),
    onError: toast.error,
  })
}

function useCheckout() {
  return useMutation({
    mutationFn: api.checkout,
    onSuccess: async ({ url }, { price }: Order) => {
      rememberCheckout(price, await queryClient.ensureQueryData(usageQuery()))
      location.assign(url)
    },
  })
}

const isOnSale = (price: Price, offers: Offers | undefined): boolean => !offers || offers.prices.includes(price)

interface PlansProps {
  tier: Tier
  /** There is a subscription, though it may give nothing now: another plan is a change of that one. */
  subscribed: boolean
  mayManage: boolean
  offers: Offers | undefined
}

export function Plans({ tier, subscribed, mayManage, offers }: PlansProps) {
  const checkout = useCheckout()
  const portal = usePortal()
  const [code, setCode] = useState('')
  const buy = (price: Price) => checkout.mutate({ price, promotion_code: code.trim() || undefined })
  return (
    <section aria-labelledby="plans">
      <h2 id="plans" className="mb-3 text-[1.15rem] font-semibold">
        Plans
      </h2>
      <div className="grid gap-4 md:grid-cols-3">
        {PLANS.map((plan) => {
          const current = plan.tier === tier
          const featured = plan.tier === 'pro' && tier === 'free'
          const prices = plan.prices.filter(({ price }) => isOnSale(price, offers))
          return (
            <div
              key={plan.tier}
              className={cx('card flex flex-col p-5', featured && 'border-accent! ring-1 ring-accent')}
            >
              <div className="flex items-center gap-2">
                <h3 className="font-serif text-[1.4rem] font-semibold">{plan.name}</h3>
                {current && <Badge tone="ok">Your plan</Badge>}
              </div>
              <p className="text-ink-2">{plan.lead}</p>
              <ul className="mt-4 space-y-2">
                {plan.points.map((point) => (
                  <li key={point} className="flex gap-2.5">
                    <Check className="mt-1 size-4 shrink-0 text-accent-ink" aria-hidden /> {point}
                  </li>
                ))}
              </ul>
              {RANK[plan.tier] > RANK[tier] && prices.length > 0 && (
                <div className="mt-auto space-y-2 pt-6">
                  {!mayManage ? (
                    <p className="text-[0.9rem] text-ink-3">Ask an admin of the organisation to upgrade.</p>
                  ) : subscribed ? (
                    <Button className="w-full" busy={portal.isPending} onClick={() => portal.mutate()}>
                      Change to {plan.name} <ExternalLink aria-hidden />
                    </Button>
                  ) : (
                    prices.map(({ price, label }, i) => (
                      <Button
                        key={price}
                        variant={featured && i === 0 ? 'primary' : i === 0 ? 'secondary' : 'ghost'}
                        className="w-full"
                        busy={checkout.isPending && checkout.variables.price === price}
                        disabled={checkout.isPending}
                        onClick={() => buy(price)}
                      >
                        {featured && i === 0 && <Sparkles aria-hidden />} {label}
                      </Button>
                    ))
                  )}
                </div>
              )}
            </div>
          )
        })}
      </div>
      <p className="mt-3 text-[0.9rem] text-ink-3">
        You see the price and pay on the secure page of our payment service.
        {offers && offers.trial_days > 0 && ` Your first plan is free for ${plural(offers.trial_days, 'day')}.`}
      </p>
      {mayManage && !subscribed && (
        <TextField
          className="mt-4 max-w-72"
          label="Promotion code"
          hint="If you have one: it is checked when you go on to pay."
          autoComplete="off"
          maxLength={100}
          value={code}
          onChange={(e) => {
            setCode(e.target.value)
            checkout.reset()
          }}
        />
      )}
      <div className="mt-3" aria-live="polite">
        {checkout.error && <ErrorNotice error={checkout.error} />}
      </div>
    </section>
  )
}

const BUNDLES: { price: Price; count: number }[] = [
  { price: 'bundle_1', count: 1 },
  { price: 'bundle_10', count: 10 },
  { price: 'bundle_25', count: 25 },
]

export function Bundles({ offers }: { offers: Offers | undefined }) {
  const checkout = useCheckout()
  return (
    <section aria-labelledby="bundles" className="card flex flex-wrap items-center gap-x-6 gap-y-3 p-5">
      <div className="min-w-56 flex-1">
        <h2 id="bundles" className="font-semibold">
          Need a few more?
        </h2>
        <p className="text-ink-2">Extra proposals are used after your monthly ones and last until used.</p>
      </div>
      <div className="flex flex-wrap gap-2">
        {BUNDLES.filter(({ price }) => isOnSale(price, offers)).map(({ price, count }) => (
          <Button
            key={price}
            busy={checkout.isPending && checkout.variables.price === price}
            disabled={checkout.isPending}
            onClick={() => checkout.mutate({ price })}
          >
            {plural(count, 'proposal')}
          </Button>
        ))}
      </div>
      {checkout.error && (
        <div className="basis-full">
          <ErrorNotice error={checkout.error} />
        </div>
      )}
    </section>
  )
}
