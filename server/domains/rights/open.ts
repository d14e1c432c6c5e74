import type { TenantId } from '#base/ids';
import type { SignedDocument } from '#base/signed-document';
import type { Forgotten } from '#core/audit';
import { authorize } from '#core/policy';
import { type TellLate, watchDeadlines } from './deadlines.ts';
import type { ErasureDeps } from './deps.ts';
import { rightsProblem } from './errors.ts';
import * as holds from './holds.ts';
import type { Erasure, ErasureId, LedgerRow, Wanted } from './model.ts';
import { type Replayed, replayForgotten } from './replay.ts';
import { type Asker, requestErasure, undoErasure } from './requests.ts';
import { forgetHidden } from './store-hidden.ts';
import { type Hold, readHolds } from './store-holds.ts';
import * as store from './store-requests.ts';
import { Walker } from './walker.ts';

export type ErasureView = {
  readonly erasure: Erasure;
  /** The person and whoever was identified as them. */
  readonly people: number;
  /** The deletion ledger: each place that was looked at. Store `bytes` is the search of the disk. */
  readonly ledger: readonly LedgerRow[];
};

export type Rights = {
  request(asker: Asker, wanted: Wanted): Promise<{ erasure: Erasure; isNew: boolean }>;
  undo(asker: Asker, id: ErasureId): Promise<Erasure>;
  /** @throws Problem erasure-unknown. */
  read(asker: Asker, id: ErasureId): Promise<ErasureView>;
  /** The newest hundred. */
  list(asker: Asker): Promise<Erasure[]>;
  /** @throws Problem erasure-unknown, erasure-not-finished. */
  certificate(asker: Asker, id: ErasureId): Promise<SignedDocument>;
  placeHold(asker: Asker, asked: holds.HoldAsked): Promise<Hold>;
  liftHold(asker: Asker, id: string): Promise<Hold>;
  holds(asker: Asker): Promise<Hold[]>;
  /** Makes true what the forget journal says; before anything is served. */
  replay(given: {
    entries: readonly Forgotten[];
    replayWithdrawals: (tenant: TenantId, some: readonly Forgotten[]) => Promise<number>;
    again?: boolean;
  }): Promise<Replayed>;
  /**
   * Hides whoever a crash left unhidden, and walks on with the rest in the background. Resolves
   * when nobody who is to be hidden can be read.
   */
  resume(): Promise<void>;
  /** Walks everything as far as it goes. */
  walk(): Promise<void>;
  /** Tells the operator of demands that come near the end of their time, each once. */
  watchDeadlines(tell: TellLate): Promise<void>;
  /** Lets go of people whose late window is over. @returns how many. */
  endLateWindows(): Promise<number>;
  close(): Promise<void>;
};

const LIST_MAX = 100;

/** Opens the domain: from here on it walks erasures that any server takes in. */
export async function openRights(deps: ErasureDeps): Promise<Rights> {
  const { db, clock, hidden } = deps;
  const walker = new Walker(deps);
  const heard = await db.sql.listen(store.ERASURES_CHANNEL, () => walker.wake());

  async function read({ inForce, actor }: Asker, id: ErasureId): Promise<ErasureView> {
    authorize(inForce, actor, 'subject.erase');
    const erasure = await store.readErasure(db.sql, inForce.tenant, id);
    if (!erasure) throw rightsProblem('erasure-unknown', 'look at the id and the service');
    const people = (await store.readSubjects(db.sql, [id])).get(id) ?? [];
    return { erasure, people: people.length, ledger: await store.readLedger(db.sql, id) };
  }

  return {
    read,
    async request(asker, wanted) {
      const requested = await requestErasure(deps, asker, wanted);
      walker.wake();
      return requested;
    },
    undo: (asker, id) => undoErasure(deps, asker, id),
    async list({ inForce, actor }) {
      authorize(inForce, actor, 'subject.erase');
      return store.readErasures(db.sql, inForce.tenant, LIST_MAX);
    },
    async certificate(asker, id) {
      const { erasure } = await read(asker, id);
      const certificate = await store.readCertificate(db.sql, erasure.tenant, id);
      if (!certificate) {
        throw rightsProblem('erasure-not-finished', 'ask again when its state is done', {
          retryAfterSeconds: 5,
        });
      }
      return certificate;
    },
    placeHold: (asker, asked) => holds.placeHold(deps, asker, asked),
    async liftHold(asker, id) {
      const lifted = await holds.liftHold(deps, asker, id);
      walker.wake();
      return lifted;
    },
    async holds({ inForce, actor }) {
      authorize(inForce, actor, 'hold.place');
      return readHolds(db.sql, inForce.tenant);
    },
    replay: ({ again = false, ...given }) => replayForgotten({ ...deps, ...given }, { again }),
    async resume() {
      await walker.hideAll();
      walker.wake();
    },
    walk: () => walker.walk(),
    watchDeadlines: (tell) => watchDeadlines(deps, tell),
    async endLateWindows() {
      const ended = await forgetHidden(db.sql, clock.now());
      await hidden.refresh();
      return ended;
    },
    async close() {
      await heard.unlisten();
      await walker.close();
    },
  };
}
