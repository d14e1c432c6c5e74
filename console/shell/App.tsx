import { Suspense, use, useEffect, useState, useTransition } from 'react';
import type { Api, Tenants } from '#console/api.ts';
import { auditScreen } from '#console/audit/Audit.tsx';
import { dataMapScreen } from '#console/data-map/DataMap.tsx';
import { erasuresScreen } from '#console/erasures/Erasures.tsx';
import { findingsScreen } from '#console/findings/Findings.tsx';
import { Overview } from '#console/overview/Overview.tsx';
import { pipelineScreen } from '#console/pipeline/Pipeline.tsx';
import { policyScreen } from '#console/policy/PolicyPage.tsx';
import { promisesScreen } from '#console/promises/Promises.tsx';
import { removalScreen } from '#console/removal/Removal.tsx';
import { Empty, ProblemBoundary, Skeleton } from '#console/shell/Fallback.tsx';
import { KeysHelp } from '#console/shell/KeysHelp.tsx';
import { listenToKeys } from '#console/shell/keyboard.ts';
import { Masthead } from '#console/shell/Masthead.tsx';
import { subscribe } from '#console/shell/navigation.ts';
import { Palette } from '#console/shell/Palette.tsx';
import { type Place, placeOf, type Screen, type ServiceScreen } from '#console/shell/routes.ts';
import { ServiceHead } from '#console/shell/ServiceHead.tsx';

/** Pairs what a screen asks with how it shows it, before the router forgets the type. */
function opener<Props extends object>(screen: Screen<Props>) {
  return (api: Api, service: string) => {
    const props = screen.load(api, service);
    return () => <screen.Component {...props} service={service} />;
  };
}
const SCREENS: Record<ServiceScreen, ReturnType<typeof opener>> = {
  promises: opener(promisesScreen),
  findings: opener(findingsScreen),
  policy: opener(policyScreen),
  data: opener(dataMapScreen),
  pipeline: opener(pipelineScreen),
  erasures: opener(erasuresScreen),
  removal: opener(removalScreen),
  audit: opener(auditScreen),
};

type Page = { path: string; place: Place; tenants: Promise<Tenants>; show: () => React.ReactNode };

/** Called once per navigation: everything that the screen needs is asked for here, at once. */
function open(api: Api): Page {
  const path = location.pathname;
  const place = placeOf(path);
  const show = place.name === 'service' ? SCREENS[place.screen](api, place.service) : () => null;
  return { path, place, tenants: api.tenants(), show };
}

/** The services' names for the keyboard, which must not wait; filled by the first answer. */
const known: { services: readonly string[] } = { services: [] };

export function App({ api }: { api: Api }) {
  const [page, setPage] = useState(() => open(api));
  const [dialog, setDialog] = useState<'palette' | 'keys' | null>(null);
  const [pending, startTransition] = useTransition();
  const close = () => setDialog(null);

  useEffect(
    () =>
      subscribe(() =>
        startTransition(() =>
          setPage((shown) => (shown.path === location.pathname ? shown : open(api))),
        ),
      ),
    [api],
  );
  useEffect(
    () =>
      listenToKeys({
        palette: () => setDialog('palette'),
        keys: () => setDialog('keys'),
        services: () => known.services,
      }),
    [],
  );

  return (
    <>
      <a className="skip" href="#main">
        To the content
      </a>
      <ProblemBoundary place={page.path}>
        <Suspense fallback={<Skeleton />}>
          <Shell page={page} pending={pending} ask={setDialog} />
          {dialog === 'palette' && <PaletteFor page={page} close={close} />}
        </Suspense>
      </ProblemBoundary>
      {dialog === 'keys' && <KeysHelp close={close} />}
    </>
  );
}

type ShellProps = { page: Page; pending: boolean; ask: (dialog: 'palette' | 'keys') => void };

function Shell({ page, pending, ask }: ShellProps) {
  const answer = use(page.tenants);
  const { place } = page;
  known.services = answer.tenants.map(({ id }) => id);
  const tenant =
    place.name === 'service' ? answer.tenants.find(({ id }) => id === place.service) : undefined;
  return (
    <>
      <Masthead tenants={answer.tenants} place={place} operator={answer.operator} ask={ask} />
      <main id="main" tabIndex={-1} aria-busy={pending}>
        {tenant && place.name === 'service' && (
          <ServiceHead tenant={tenant} screen={place.screen} />
        )}
        <ProblemBoundary place={page.path}>
          <Suspense fallback={<Skeleton />}>
            {place.name === 'overview' && <Overview answer={answer} />}
            {place.name === 'nowhere' && <Nowhere />}
            {place.name === 'service' && (tenant ? <page.show key={page.path} /> : <NoService />)}
          </Suspense>
        </ProblemBoundary>
      </main>
    </>
  );
}

function PaletteFor({ page, close }: { page: Page; close: () => void }) {
  return <Palette tenants={use(page.tenants).tenants} close={close} />;
}

const Nowhere = () => (
  <Empty wholePage title="There is no such page">
    <p>The address leads nowhere. The overview shows every service there is.</p>
  </Empty>
);
const NoService = () => (
  <Empty wholePage title="There is no such service">
    <p>No policy of this name is in force here, so nothing is collected under it.</p>
  </Empty>
);
