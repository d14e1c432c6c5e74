import { type FormEvent, use, useState } from 'react';
import { type Api, ApiProblem, type Removing, type WouldLose } from '#console/api.ts';
import { Empty } from '#console/shell/Fallback.tsx';
import type { Screen } from '#console/shell/routes.ts';
import { Ago, count } from '#console/shell/words.tsx';

type Asked = { api: Api; outlook: Promise<WouldLose | 'operator-only'> };

const LOOK_EVERY_MS = 1_000;

export const removalScreen: Screen<Asked> = {
  load: (api, service) => ({
    api,
    outlook: api.wouldLose(service).catch((error: unknown) => {
      if (error instanceof ApiProblem && error.status === 401) return 'operator-only';
      throw error;
    }),
  }),
  Component: RemovalScreen,
};

function RemovalScreen({ api, outlook, service }: Asked & { service: string }) {
  const would = use(outlook);
  const [removing, setRemoving] = useState<Removing>();
  const [refused, setRefused] = useState('');
  if (would === 'operator-only')
    return (
      <Empty title="Removing a service is for the operator">
        <p>Open the link that the server printed when it started.</p>
      </Empty>
    );

  async function remove(confirm: string) {
    setRefused('');
    // The answer comes with the end; until then the record says how far it has come.
    const look = setInterval(() => {
      api.removal(service).then(
        (found) => found && setRemoving(found),
        () => undefined,
      );
    }, LOOK_EVERY_MS);
    try {
      setRemoving(await api.removeService(service, confirm));
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setRefused([error.title, error.detail].filter(Boolean).join(': '));
    } finally {
      clearInterval(look);
    }
  }

  return (
    <>
      <Losses would={would} />
      {removing ? (
        <Progress service={service} removing={removing} />
      ) : (
        <Confirm service={service} remove={remove} />
      )}
      <p role="status" className="state-broken">
        {refused}
      </p>
    </>
  );
}

/** What goes and what stays, store by store, counted when the page was opened. */
export function Losses({ would }: { would: WouldLose }) {
  return (
    <>
      <p className="lead">
        Taking a service out cannot be undone: its keys are destroyed, and with them all that they
        seal.
        {would.openErasures > 0 &&
          ` ${count(would.openErasures)} erasures under way are then without end.`}
        {would.holds > 0 && (
          <b className="state-broken">
            {' '}
            ▲ {count(would.holds)} holds stand: nothing is taken out before they are lifted.
          </b>
        )}
      </p>
      <HeldTable title="What will be lost" held={would.lost} />
      <HeldTable title="What stays" held={would.stays} />
    </>
  );
}

function HeldTable({ title, held }: { title: string; held: WouldLose['lost'] }) {
  return (
    <section>
      <h2>{title}</h2>
      <table className="drops">
        <tbody>
          {held.map(({ store, place, rows }) => (
            <tr key={`${store} ${place}`}>
              <th scope="row">{store}</th>
              <td>{place}</td>
              <td className="number">{count(rows)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

type ConfirmProps = { service: string; remove: (confirm: string) => Promise<void> };

/** Only the name, typed, opens the button; the server asks for it once more. */
export function Confirm({ service, remove }: ConfirmProps) {
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    await remove(typed).finally(() => setBusy(false));
  }

  return (
    <form className="erase" onSubmit={submit}>
      <p className="erase-fields">
        <label>
          Type <code>{service}</code> to take it out
          <input
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
            spellCheck={false}
          />
        </label>
        <button type="submit" disabled={typed !== service || busy}>
          Take it out for good
        </button>
      </p>
    </form>
  );
}

export function Progress({ service, removing }: { service: string; removing: Removing }) {
  const { requestedAt, finishedAt } = removing;
  return (
    <p role="status" className="lead">
      {finishedAt === null ? (
        <>
          ○ {service} is out of force since <Ago at={requestedAt} />, and its write keys open
          nothing. Its keys, rows, tables and objects are going now; a start finishes what is cut
          off.
        </>
      ) : (
        <>
          ● {service} was taken out <Ago at={finishedAt} />. Older copies of the keyring open its
          data until the keys are rotated: <code>npm run troth -- keys rotate</code>.{' '}
          <a href="/">To the services that stay</a>
        </>
      )}
    </p>
  );
}
