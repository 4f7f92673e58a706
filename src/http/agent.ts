/**
 * Requests on the core, for `http` and `https`: Node's agents and requests, with connections made
 * in a way of ours.
 */
import type * as nodeHttp from 'node:http';
import { standOn } from '../net/core';

type AgentOptions = nodeHttp.AgentOptions;

interface AgentMembers {
  options: AgentOptions & { proxyEnv?: unknown };
  createConnection(...args: unknown[]): unknown;
}

type AgentClass = typeof nodeHttp.Agent;

type Connect = (byNode: () => unknown, args: unknown[]) => unknown;

/** A class of agents on Node's, whose connections `connect` makes. */
export function agentClass<Class extends AgentClass>(NodeAgent: Class, connect: Connect): Class {
  const Ours = function Agent(this: nodeHttp.Agent, options?: AgentOptions) {
    // Node's agents are made without `new`, too.
    if (new.target === undefined && !(this instanceof Ours)) return new Ours(options);
    (NodeAgent as unknown as (options?: AgentOptions) => void).call(this, options);
    return undefined;
  } as unknown as Class;
  standOn(Ours, NodeAgent);
  const { createConnection } = NodeAgent.prototype as unknown as AgentMembers;
  const members = Ours.prototype as unknown as AgentMembers;
  members.createConnection = function (this: AgentMembers, ...args) {
    const byNode = (): unknown => createConnection.apply(this, args);
    // Which requests go through a proxy, and how, only Node knows.
    return this.options.proxyEnv ? byNode() : connect(byNode, args);
  };
  return Ours;
}

/**
 * `globalAgent` as a member of a module: made at first use, with the options of Node's, and to be
 * replaced by users.
 */
export function globalAgentOf<Agent extends nodeHttp.Agent>(
  Class: new (options: AgentOptions) => Agent,
  byNode: nodeHttp.Agent,
): PropertyDescriptor & { get: () => Agent } {
  let agent: Agent | undefined;
  const { options } = byNode as unknown as AgentMembers;
  return {
    configurable: true,
    enumerable: true,
    get: () => (agent ??= new Class({ ...options })),
    set: (value: Agent) => void (agent = value),
  };
}

interface RequestOptions {
  agent?: nodeHttp.Agent | boolean | null;
  createConnection?: unknown;
}

function isUrl(value: unknown): boolean {
  if (typeof value === 'string') return true;
  const { href, protocol, auth, path } = (value ?? {}) as Record<string, unknown>;
  return Boolean(href && protocol) && auth === undefined && path === undefined;
}

/** The agent for a request, where Node would take its own; undefined where it would not. */
function agentFor(
  { agent, createConnection }: RequestOptions,
  globalAgent: () => nodeHttp.Agent,
): nodeHttp.Agent | undefined {
  if (agent === false) {
    const { constructor } = globalAgent();
    return new (constructor as AgentClass)();
  }
  const isNodesChoice = agent === undefined || agent === null;
  return isNodesChoice && typeof createConnection !== 'function' ? globalAgent() : undefined;
}

type Request = (...args: unknown[]) => nodeHttp.ClientRequest;

/** Node's `request`, with agents of ours. */
export function requestWith(
  byNode: unknown,
  globalAgent: () => nodeHttp.Agent,
): (...args: unknown[]) => nodeHttp.ClientRequest {
  return (...args) => {
    const at = isUrl(args[0]) ? 1 : 0;
    const given = args[at];
    const hasOptions = Boolean(given) && typeof given !== 'function';
    const options = (hasOptions ? given : {}) as RequestOptions;
    const agent = agentFor(options, globalAgent);
    if (agent !== undefined) args.splice(at, hasOptions ? 1 : 0, { ...options, agent });
    return (byNode as Request)(...args);
  };
}

/** `get` for a `request`. */
export function getWith(request: Request): Request {
  return (...args) => {
    const sent = request(...args);
    sent.end();
    return sent;
  };
}
