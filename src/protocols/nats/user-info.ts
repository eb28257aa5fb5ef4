import { LiveMessage } from '../../broker/index.ts';
import { globalAccount } from './info.ts';
import type { Session } from './session.ts';

const subject = '$SYS.REQ.USER.INFO';

/** Whether it asks who the connection is: the one system request that ordinary clients make. */
export function isUserInfoRequest(message: LiveMessage): boolean {
  return message.subjectEnd - message.subjectStart === subject.length && message.subject === subject;
}

export function replyUserInfo(session: Session, message: LiveMessage): void {
  const { info, router, clock } = session.host;
  const answer = {
    server: {
      name: info.server_name,
      host: info.host,
      id: info.server_id,
      ver: info.version,
      jetstream: info.jetstream === true,
      time: new Date(clock.now()).toISOString(),
    },
    data: { user: session.user, account: globalAccount },
  };
  const value = Buffer.from(JSON.stringify(answer), 'utf8');
  const reply = new LiveMessage();
  reply.setSubject(message.replyBuffer, message.replyStart, message.replyEnd);
  reply.setValue(value, 0, value.length);
  router.publish(reply);
}
