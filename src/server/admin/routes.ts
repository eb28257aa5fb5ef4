import type { AdminReplies, AdminRoute } from '../../admin-api/index.ts';
import { listAlarms } from './alarms.ts';
import type { AdminContext } from './context.ts';
import { listDeadLetterCauses } from './dead-letter-causes.ts';
import * as deadLetters from './dead-letters.ts';
import * as delayed from './delayed.ts';
import { changesOf } from './changes.ts';
import { dashboardFile, dashboardPage } from './dashboard.ts';
import * as groups from './groups.ts';
import * as history from './history.ts';
import type { AdminRequest, Route } from './http.ts';
import { showMessageGroups } from './message-groups.ts';
import * as messages from './messages.ts';
import { metrics } from './metrics.ts';
import { describeApi } from './openapi.ts';
import * as receiving from './receive.ts';
import * as overview from './overview.ts';
import type { JsonReply } from './reply.ts';
import * as schedules from './schedules.ts';
import * as session from './session.ts';
import { previewReset } from './seek-preview.ts';
import * as server from './server-info.ts';
import * as rows from './topic-rows.ts';
import * as topics from './topics.ts';
import { showSettings } from './settings.ts';
import { listUsers } from './users.ts';

/** The handler of a route that answers in JSON. */
interface JsonRoute<T> {
  readonly summary: string;
  readonly handle: (request: AdminRequest, context: AdminContext) => JsonReply<T> | Promise<JsonReply<T>>;
}

/** A route that is missing here, or answers in another shape than in admin-api/, is a type error. */
const jsonRoutes: { readonly [R in AdminRoute]: JsonRoute<AdminReplies[R]> } = {
  'GET /healthz': { summary: 'is the process alive', handle: server.healthz },
  'GET /readyz': { summary: 'may clients be sent here', handle: server.readyz },
  'GET /api/v1/openapi.json': {
    summary: 'this API, in the words of OpenAPI',
    handle: (_, context) => describeApi(routes, context),
  },
  'GET /api/v1/server': { summary: 'what runs here', handle: server.serverInfo },
  'GET /api/v1/settings': { summary: 'all settings with their sources', handle: showSettings },
  'GET /api/v1/alarms': { summary: 'what is wrong, and the remedy', handle: listAlarms },
  'GET /api/v1/session': { summary: 'the session of a browser', handle: session.showSession },
  'POST /api/v1/session': { summary: 'log a browser in', handle: session.beginSession },
  'DELETE /api/v1/session': { summary: 'log a browser out', handle: session.endSession },
  'GET /api/v1/overview': { summary: 'the state at a glance', handle: overview.showOverview },
  'GET /api/v1/topic-rows': { summary: 'topics, searched, sorted and paged', handle: rows.listTopicRows },
  'GET /api/v1/history': { summary: 'rates of the last hour and day', handle: history.showHistory },
  'GET /api/v1/topics/:topic/history': { summary: 'the same of a topic', handle: history.showTopicHistory },
  'GET /api/v1/topics/:topic/groups/:group/history': {
    summary: 'the same of a group',
    handle: history.showGroupHistory,
  },
  'GET /api/v1/connections': { summary: 'connections by protocol', handle: server.listConnections },
  'DELETE /api/v1/connections/:id': { summary: 'close a connection', handle: server.closeConnection },
  'GET /api/v1/topics': { summary: 'all topics', handle: topics.listTopics },
  'POST /api/v1/topics': { summary: 'create a topic', handle: topics.createTopic },
  'GET /api/v1/topics/:topic': { summary: 'one topic in full', handle: topics.showTopic },
  'PATCH /api/v1/topics/:topic': { summary: 'change a topic', handle: topics.updateTopic },
  'DELETE /api/v1/topics/:topic': { summary: 'delete a topic', handle: topics.deleteTopic },
  'POST /api/v1/topics/:topic/purge': { summary: 'delete messages', handle: topics.purgeTopic },
  'GET /api/v1/topics/:topic/messages': { summary: 'browse messages', handle: messages.browseTopic },
  'POST /api/v1/topics/:topic/messages': { summary: 'publish to a topic', handle: messages.publishToTopic },
  'GET /api/v1/topics/:topic/messages/:offset': { summary: 'one message', handle: messages.showMessage },
  'GET /api/v1/topics/:topic/messages/:offset/groups': {
    summary: 'how far its groups are with a message',
    handle: showMessageGroups,
  },
  'GET /api/v1/topics/:topic/delayed': { summary: 'delayed messages', handle: delayed.listDelayed },
  'GET /api/v1/topics/:topic/delayed/:id': { summary: 'one delayed message', handle: delayed.showDelayed },
  'POST /api/v1/topics/:topic/delayed/move': {
    summary: 'move delayed messages to another time',
    handle: delayed.moveDelayed,
  },
  'POST /api/v1/topics/:topic/delayed/cancel': {
    summary: 'remove delayed messages',
    handle: delayed.cancelDelayed,
  },
  'POST /api/v1/topics/:topic/delayed/publish': {
    summary: 'publish delayed messages now',
    handle: delayed.publishDelayed,
  },
  'POST /api/v1/subjects/:subject/messages': {
    summary: 'publish to a subject and its live subscribers',
    handle: messages.publishToSubject,
  },
  'GET /api/v1/groups': { summary: 'all groups', handle: groups.listGroups },
  'GET /api/v1/topics/:topic/groups': { summary: 'groups of a topic', handle: groups.listGroupsOfTopic },
  'POST /api/v1/topics/:topic/groups': { summary: 'create a group', handle: groups.createGroup },
  'GET /api/v1/topics/:topic/groups/:group': { summary: 'one group in full', handle: groups.showGroup },
  'PATCH /api/v1/topics/:topic/groups/:group': { summary: 'change a group', handle: groups.updateGroup },
  'DELETE /api/v1/topics/:topic/groups/:group': { summary: 'delete a group', handle: groups.deleteGroup },
  'POST /api/v1/topics/:topic/groups/:group/pause': {
    summary: 'hold deliveries back',
    handle: groups.pauseGroup,
  },
  'POST /api/v1/topics/:topic/groups/:group/resume': { summary: 'deliver again', handle: groups.resumeGroup },
  'POST /api/v1/topics/:topic/groups/:group/release-active': {
    summary: 'let the next consumer be the active one',
    handle: groups.releaseActive,
  },
  'POST /api/v1/topics/:topic/groups/:group/limits': {
    summary: 'change its rate, concurrency and limits of keys',
    handle: groups.limitGroup,
  },
  'POST /api/v1/topics/:topic/groups/:group/reset': {
    summary: 'move a group to another position',
    handle: groups.resetGroup,
  },
  'POST /api/v1/topics/:topic/groups/:group/receive': {
    summary: 'receive messages',
    handle: receiving.receive,
  },
  'POST /api/v1/topics/:topic/groups/:group/settle': {
    summary: 'ack, nack, reject, give back, postpone, keep longer',
    handle: receiving.settle,
  },
  'POST /api/v1/topics/:topic/groups/:group/reset/preview': {
    summary: 'what a move would bring again',
    handle: previewReset,
  },
  'GET /api/v1/schedules': { summary: 'all schedules', handle: schedules.listSchedules },
  'POST /api/v1/schedules': { summary: 'define or change a schedule', handle: schedules.defineSchedule },
  'GET /api/v1/schedules/:schedule': { summary: 'one schedule', handle: schedules.showSchedule },
  'DELETE /api/v1/schedules/:schedule': { summary: 'delete a schedule', handle: schedules.deleteSchedule },
  'POST /api/v1/schedules/:schedule/pause': {
    summary: 'hold a schedule back',
    handle: schedules.pauseSchedule,
  },
  'POST /api/v1/schedules/:schedule/resume': { summary: 'run again', handle: schedules.resumeSchedule },
  'POST /api/v1/schedules/:schedule/run': { summary: 'publish now', handle: schedules.runSchedule },
  'GET /api/v1/users': { summary: 'all users, without secrets', handle: listUsers },
  'GET /api/v1/dead-letters': { summary: 'dead-letter topics', handle: deadLetters.listDeadLetterTopics },
  'GET /api/v1/dead-letters/:topic': {
    summary: 'dead letters with cause and origin',
    handle: deadLetters.listDeadLetters,
  },
  'GET /api/v1/dead-letters/:topic/causes': {
    summary: 'dead letters by cause and origin',
    handle: listDeadLetterCauses,
  },
  'GET /api/v1/dead-letters/:topic/:offset': {
    summary: 'one dead letter',
    handle: deadLetters.showDeadLetter,
  },
  'POST /api/v1/dead-letters/:topic/redrive': {
    summary: 'put dead letters back',
    handle: deadLetters.redriveDeadLetters,
  },
  'POST /api/v1/dead-letters/:topic/purge': {
    summary: 'delete dead letters',
    handle: deadLetters.purgeDeadLetters,
  },
};

const apiRoutes = Object.entries(jsonRoutes).map(([name, { summary, handle }]): Route<AdminContext> => {
  const [method, path] = name.split(' ') as [Route<AdminContext>['method'], string];
  return { method, path, summary, handle };
});

/** All routes of the admin HTTP. docs/admin-api.md describes each; a test compares the two. */
export const routes: readonly Route<AdminContext>[] = [
  { method: 'GET', path: '/', summary: 'the dashboard', handle: dashboardPage },
  { method: 'GET', path: '/assets/:file', summary: 'its files', handle: dashboardFile },
  { method: 'GET', path: '/metrics', summary: 'metrics for Prometheus', handle: metrics },
  { method: 'GET', path: '/api/v1/changes', summary: 'a stream of changes', handle: changesOf(apiRoutes) },
  ...apiRoutes,
];
