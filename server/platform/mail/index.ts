/**
 * Mail: plain text to a person, over SMTP.
 *
 * The library does what SMTP needs; here stands what Troth allows it: no file and no address is
 * fetched into a message, and nothing but the given text leaves.
 */
import { createTransport } from 'nodemailer';
import { mailProblem } from './errors.ts';

export { mailProblem } from './errors.ts';

export type Letter = {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** Names the letter: sent again under the same name it is the same letter. */
  readonly id: string;
};

export type Mail = {
  /** Resolves when the server has taken it. @throws Problem mail-not-taken. */
  send(letter: Letter): Promise<void>;
  close(): void;
};

const TIMEOUT_MS = 20_000;

/**
 * @param url   `smtp://user:password@host:587` (STARTTLS where the server offers it) or
 *              `smtps://…`.
 * @param from  the sender's address.
 */
export function openMail({ url, from }: { url: string; from: string }): Mail {
  const transport = createTransport({
    url,
    disableFileAccess: true,
    disableUrlAccess: true,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  });
  const host = from.split('@')[1] ?? 'localhost';
  return {
    async send({ to, subject, text, id }) {
      try {
        await transport.sendMail({ from, to, subject, text, messageId: `<${id}@${host}>` });
      } catch {
        // What a mail server answers may quote the address.
        throw mailProblem('mail-not-taken', 'the mail server did not take the letter', {
          retryAfterSeconds: 60,
        });
      }
    },
    close: () => transport.close(),
  };
}
