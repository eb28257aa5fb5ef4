import type { AdminContext } from './context.ts';
import * as deadLetters from './dead-letters.ts';
import * as groups from './groups.ts';
import type { Route } from './http.ts';
import * as messages from './messages.ts';
import { metrics } from './metrics.ts';
import * as server from './server-info.ts';
import * as topics from './topics.ts';

/** All routes of the admin HTTP. docs/admin-api.md describes each; a test holds the two together. */
export const routes: readonly Route<AdminContext>[] = [
  { method: 'GET', path: '/healthz', summary: 'is the process alive', handle: server.healthz },
  { method: 'GET', path: '/readyz', summary: 'may clients be sent here', handle: server.readyz },
  { method: 'GET', path: '/metrics', summary: 'metrics for Prometheus', handle: metrics },
  { method: 'GET', path: '/api/v1/server', summary: 'what runs here', handle: server.serverInfo },
  {
    method: 'GET',
    path: '/api/v1/connections',
    summary: 'connections by protocol',
    handle: server.listConnections,
  },
  {
    method: 'DELETE',
    path: '/api/v1/connections/:id',
    summary: 'close a connection',
    handle: server.closeConnection,
  },
  { method: 'GET', path: '/api/v1/topics', summary: 'all topics', handle: topics.listTopics },
  { method: 'POST', path: '/api/v1/topics', summary: 'create a topic', handle: topics.createTopic },
  { method: 'GET', path: '/api/v1/topics/:topic', summary: 'one topic in full', handle: topics.showTopic },
  { method: 'DELETE', path: '/api/v1/topics/:topic', summary: 'delete a topic', handle: topics.deleteTopic },
  {
    method: 'POST',
    path: '/api/v1/topics/:topic/purge',
    summary: 'delete messages',
    handle: topics.purgeTopic,
  },
  {
    method: 'GET',
    path: '/api/v1/topics/:topic/messages',
    summary: 'browse messages',
    handle: messages.browseTopic,
  },
  {
    method: 'POST',
    path: '/api/v1/topics/:topic/messages',
    summary: 'publish to a topic',
    handle: messages.publishToTopic,
  },
  {
    method: 'GET',
    path: '/api/v1/topics/:topic/messages/:offset',
    summary: 'one message',
    handle: messages.showMessage,
  },
  {
    method: 'POST',
    path: '/api/v1/subjects/:subject/messages',
    summary: 'publish to a subject, as a NATS client does',
    handle: messages.publishToSubject,
  },
  { method: 'GET', path: '/api/v1/groups', summary: 'all groups', handle: groups.listGroups },
  {
    method: 'GET',
    path: '/api/v1/topics/:topic/groups',
    summary: 'groups of a topic',
    handle: groups.listGroupsOfTopic,
  },
  {
    method: 'GET',
    path: '/api/v1/topics/:topic/groups/:group',
    summary: 'one group in full',
    handle: groups.showGroup,
  },
  {
    method: 'DELETE',
    path: '/api/v1/topics/:topic/groups/:group',
    summary: 'delete a group',
    handle: groups.deleteGroup,
  },
  {
    method: 'POST',
    path: '/api/v1/topics/:topic/groups/:group/pause',
    summary: 'hold deliveries back',
    handle: groups.pauseGroup,
  },
  {
    method: 'POST',
    path: '/api/v1/topics/:topic/groups/:group/resume',
    summary: 'deliver again',
    handle: groups.resumeGroup,
  },
  {
    method: 'POST',
    path: '/api/v1/topics/:topic/groups/:group/reset',
    summary: 'move a group to another position',
    handle: groups.resetGroup,
  },
  {
    method: 'GET',
    path: '/api/v1/dead-letters',
    summary: 'dead-letter topics',
    handle: deadLetters.listDeadLetterTopics,
  },
  {
    method: 'GET',
    path: '/api/v1/dead-letters/:topic',
    summary: 'dead letters with cause and origin',
    handle: deadLetters.listDeadLetters,
  },
  {
    method: 'GET',
    path: '/api/v1/dead-letters/:topic/:offset',
    summary: 'one dead letter',
    handle: deadLetters.showDeadLetter,
  },
  {
    method: 'POST',
    path: '/api/v1/dead-letters/:topic/redrive',
    summary: 'put dead letters back',
    handle: deadLetters.redriveDeadLetters,
  },
  {
    method: 'POST',
    path: '/api/v1/dead-letters/:topic/purge',
    summary: 'delete dead letters',
    handle: deadLetters.purgeDeadLetters,
  },
];
