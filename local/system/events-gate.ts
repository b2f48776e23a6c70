import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Deployment } from "../provision/deployment";
import { roleAllows } from "../provision/permissions/policy-evaluation";
import { functionPolicies } from "../provision/permissions/roles";
import { eventBusName } from "../provision/resources/eventbridge";
import { LOOPBACK } from "../servers/run/own-server";

/**
 * The gate between functions and EventBridge. AWS judges PutEvents by the sources of its entries (`events:source`),
 * so that a relay can publish as its own domains only; the emulator ignores that condition. The gate refuses what AWS
 * would refuse, and passes on everything else, which the emulator judges again.
 */
export interface EventsGate {
  /**
   * The environment variables that make a function use the gate.
   *
   * @param functionName physical name
   */
  variables(functionName: string): Record<string, string>;
  /** Judges calls by the roles and policies of this deployment; before, every call is refused. */
  enforce(deployment: Deployment): void;
  /** Numbers of calls so far. */
  calls(): { passed: number; refused: number };
  stop(): Promise<void>;
}

/** AWS's limit for an app id, by which the SDK names the function in each call. */
const MAX_APP_ID = 50;
const PUT_EVENTS = "AWSEvents.PutEvents";

/** Where the gate is. */
export interface EventsGateOptions {
  /** Where calls are passed on to. */
  endpoint: string;
  /** Whether something else names the function in each call, as a fault run does. @default false */
  namesCallers?: boolean;
}

/** Opens the gate on a free port. */
export async function openEventsGate({ endpoint, namesCallers }: EventsGateOptions): Promise<EventsGate> {
  const agent = new Agent({ keepAlive: true });
  const count = { passed: 0, refused: 0 };
  let deployment: Deployment | undefined;
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await bodyOf(incoming);
    const refusal = refusalOf(deployment, incoming.headers, body);
    if (refusal !== undefined) {
      count.refused += 1;
      outgoing.writeHead(400, { "content-type": "application/x-amz-json-1.1" });
      outgoing.end(JSON.stringify({ __type: "AccessDeniedException", message: refusal }));
      return;
    }
    count.passed += 1;
    // Unchanged, so that the signature stays valid.
    const { method, url, headers } = incoming;
    const passedOn = request(new URL(url ?? "/", endpoint), { agent, method, headers });
    passedOn.end(body);
    const [answer] = (await once(passedOn, "response")) as [IncomingMessage];
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
    answer.on("error", () => outgoing.destroy());
  };
  const server = createServer((incoming, outgoing) => {
    // The function sees a broken connection, as it does without the gate.
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const address = `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`;
  return {
    variables: (functionName) => ({
      AWS_ENDPOINT_URL_EVENTBRIDGE: address,
      ...(namesCallers ? {} : { AWS_SDK_UA_APP_ID: functionName.slice(-MAX_APP_ID) }),
    }),
    enforce(deployed) {
      deployment = deployed;
    },
    calls: () => ({ ...count }),
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

interface Entry {
  EventBusName?: string;
  Source?: string;
  DetailType?: string;
}

/** Why AWS would refuse the call; undefined where it would not. */
function refusalOf(
  deployment: Deployment | undefined,
  headers: IncomingMessage["headers"],
  body: Buffer,
): string | undefined {
  if (headers["x-amz-target"] !== PUT_EVENTS) return undefined;
  const appId = /(?:^|\s)app\/(\S+)/.exec(headers["user-agent"] ?? "")?.[1] ?? "";
  const lambda = deployment
    ?.byType("aws:lambda/function:Function")
    .find(({ state }) => appId !== "" && appId.endsWith(String(state["name"]).slice(-MAX_APP_ID)));
  if (!deployment || !lambda) return `The caller "${appId}" is not a function of the program.`;
  const policies = functionPolicies(deployment, lambda);
  const { Entries = [] } = JSON.parse(body.toString()) as { Entries?: Entry[] };
  for (const [busArn, entries] of byBus(deployment, Entries)) {
    const values = (field: "Source" | "DetailType") => entries.map((entry) => entry[field] ?? "");
    const context = { "events:source": values("Source"), "events:detail-type": values("DetailType") };
    if (roleAllows(policies, { action: "events:PutEvents", resource: busArn, context })) continue;
    const sources = [...new Set(values("Source"))].join(", ");
    return (
      `${String(lambda.state["role"])} is not authorized to perform: events:PutEvents on resource: ${busArn} with the sources ${sources} ` +
      "because no identity-based policy allows the events:PutEvents action"
    );
  }
  return undefined;
}

function byBus(deployment: Deployment, entries: readonly Entry[]): Map<string, Entry[]> {
  const buses = deployment.byType("aws:cloudwatch/eventBus:EventBus");
  const grouped = new Map<string, Entry[]>();
  for (const entry of entries) {
    const name = eventBusName(entry.EventBusName);
    const arn = String(buses.find(({ state }) => state["name"] === name)?.state["arn"] ?? name);
    grouped.set(arn, [...(grouped.get(arn) ?? []), entry]);
  }
  return grouped;
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
