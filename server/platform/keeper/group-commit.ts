import type { Custody, Done } from './custody.ts';
import type { Keyring } from './keyring.ts';
import type { Peer } from './peer.ts';
import type { Call, Evict } from './protocol.ts';

const GROUP_CALLS_MAX = 512;

export type Waiting = { peer: Peer; id: number; call: Call; ask: unknown };

/** Calls that arrive while a commit runs share the next one. */
export class GroupCommit {
  readonly #keyring: Keyring;
  readonly #custody: Custody;
  readonly #peers: ReadonlySet<Peer>;
  #queue: Waiting[] = [];
  #scheduled = false;

  constructor(
    { keyring, custody }: { keyring: Keyring; custody: Custody },
    peers: ReadonlySet<Peer>,
  ) {
    this.#keyring = keyring;
    this.#custody = custody;
    this.#peers = peers;
  }

  add(waiting: Waiting): void {
    this.#queue.push(waiting);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const group = this.#queue.slice(0, GROUP_CALLS_MAX);
    this.#queue = this.#queue.slice(GROUP_CALLS_MAX);
    if (group.length > 0) this.#commit(group);
    if (this.#queue.length > 0) this.#schedule();
  }

  /** One call that fails rolls the group back; then each is tried alone, so one harms no other. */
  #commit(group: Waiting[]): void {
    try {
      const results = this.#keyring.commit(() =>
        group.map(({ call, ask }) => this.#custody.perform(call, ask as never)),
      );
      for (const [index, result] of results.entries()) {
        void this.#answer(group[index] as Waiting, result);
      }
    } catch (error) {
      const [first] = group;
      if (first && group.length === 1) first.peer.refuse(first.id, error);
      else for (const waiting of group) this.#commit([waiting]);
    }
  }

  async #answer({ peer, id }: Waiting, { answer: body, evict }: Done): Promise<void> {
    if (evict.length === 0) return peer.send({ kind: 'answer', id, answer: body });
    const counted = await this.#tellAll(evict);
    peer.send({ kind: 'answer', id, answer: { ...(body as object), ...counted } });
  }

  async #tellAll(evict: readonly Evict[]): Promise<{ acknowledged: number; cutOff: number }> {
    const heard = await Promise.all(
      [...this.#peers]
        .filter(({ listens }) => listens)
        .flatMap((listener) => evict.map((what) => listener.askToForget(what))),
    );
    const acknowledged = heard.filter(Boolean).length;
    return { acknowledged, cutOff: heard.length - acknowledged };
  }
}
