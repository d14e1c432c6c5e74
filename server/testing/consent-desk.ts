/** The consent domain over a test world, with ids for handles kept in memory. */
import { randomBytes } from 'node:crypto';
import { KeyId, SubjectId } from '#base/ids';
import type { Forgotten } from '#core/audit';
import type { Actor } from '#core/policy';
import {
  type Asked,
  type Consent,
  type ConsentKeys,
  createConsent,
  type Handle,
} from '#domains/consent';
import { silentLog } from '#platform/log';
import type { World } from './world.ts';

/** Ids for handles; stands where the keeper would. `vouch` is what a server's `identify` does. */
export type KeysInMemory = ConsentKeys & { vouch(visitor: string, person: string): void };

export function keysInMemory(): KeysInMemory {
  const known = new Map<string, SubjectId>();
  const links = new Set<string>();
  const nameOf = (visitor: string, person: string) => JSON.stringify([visitor, person]);
  return {
    vouch: (visitor, person) => void links.add(nameOf(visitor, person)),
    vouches: async (_, visitor, person) => links.has(nameOf(visitor.value, person.value)),
    subjects: async (tenant, handles, { create }) =>
      handles.map(({ kind, value }) => {
        const name = `${tenant} ${kind} ${value}`;
        if (create && !known.has(name)) known.set(name, SubjectId(randomBytes(16).toString('hex')));
        const subject = known.get(name);
        return subject && { subject };
      }),
  };
}

export type Desk = {
  readonly consent: Consent;
  readonly keys: KeysInMemory;
  readonly journalled: Forgotten[];
  readonly journal: { append(entries: readonly Forgotten[]): Promise<void> };
  asked(handle?: Handle): Asked;
  subjectOf(handle: Handle): Promise<SubjectId>;
};

/** @param keys  those of another desk, to make a second server over the same world. */
export async function openDesk(world: World, keys = keysInMemory()): Promise<Desk> {
  const journalled: Forgotten[] = [];
  const journal = {
    append: async (entries: readonly Forgotten[]) => void journalled.push(...entries),
  };
  const { db, policies, clock } = world;
  const consent = await createConsent({
    db,
    policies,
    clock,
    keys,
    journal,
    log: silentLog,
    beatMilliseconds: 100,
  });
  const actor: Actor = { kind: 'write-key', id: KeyId('writeKey1'), tenant: world.tenant };
  return {
    consent,
    keys,
    journalled,
    journal,
    asked: (handle = { kind: 'user', value: randomBytes(8).toString('hex') }) => ({
      inForce: policies.inForce(world.tenant),
      actor,
      handle,
    }),
    async subjectOf(handle) {
      const [found] = await keys.subjects(world.tenant, [handle], { create: true });
      if (!found) throw new Error('not created');
      return found.subject;
    },
  };
}
