import { LiveMessage } from '../../broker/index.ts';
import { globalAccount } from './info.ts';
import type { SessionHost } from './session-host.ts';
import type { Session } from './session.ts';

const subject = '$SYS.REQ.USER.INFO';
const nanosPerMs = 1e6;

/**
 * Whether a message asks for the user of its connection: the one system request that ordinary clients make.
 */
export function isUserInfoRequest(message: LiveMessage): boolean {
  return message.subjectEnd - message.subjectStart === subject.length && message.subject === subject;
}

/** The description of the server in answers and events. */
export function serverOf({ info, clock }: SessionHost): object {
  return {
    name: info.server_name,
    host: info.host,
    id: info.server_id,
    ver: info.version,
    jetstream: info.jetstream === true,
    time: new Date(clock.now()).toISOString(),
  };
}

export function replyUserInfo(session: Session, message: LiveMessage): void {
  const { router } = session.host;
  const answer = {
    server: serverOf(session.host),
    data: { user: session.user, account: globalAccount, ...permissionsOf(session) },
  };
  const value = Buffer.from(JSON.stringify(answer), 'utf8');
  const reply = new LiveMessage();
  reply.setSubject(message.replyBuffer, message.replyStart, message.replyEnd);
  reply.setValue(value, 0, value.length);
  router.publish(reply);
}

/** The permissions by subject, in the form of nats-server; an empty object if there are none. */
function permissionsOf({ login }: Session): object {
  const { publish, subscribe, allowResponses } = login?.user?.nats ?? {};
  if (!publish && !subscribe && !allowResponses) return {};
  const responses = allowResponses && {
    max: allowResponses.max,
    ttl: allowResponses.expiresMs * nanosPerMs,
  };
  return {
    permissions: {
      ...(publish && { publish }),
      ...(subscribe && { subscribe }),
      ...(responses && { responses }),
    },
  };
}
