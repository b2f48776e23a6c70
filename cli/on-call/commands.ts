import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { listDeadLetters, redriveDeadLetters } from "./dead-letters";
import { discardRecord, listQuarantine, putBackAll, putBackRecord, showQuarantined } from "./quarantine";
import { EXIT_REFUSED, withSystem } from "../running-system";
import { listUnclaimed } from "./unclaimed";

/** Adds the commands for on-call work: the relays' quarantine and the subscriptions' dead letters. */
export function addOnCallCommands(program: Command): void {
  const quarantine = program.command("quarantine").description("records that a relay could not publish");
  quarantine
    .command("list")
    .description("lists the quarantined records")
    .action(() => withSystem(async (system) => printJson(await listQuarantine(system))));
  quarantine
    .command("show")
    .description("prints the content of a record, byte for byte")
    .argument("<id>", "as listed")
    .action((id: string) =>
      withSystem(async (system) => void process.stdout.write(await showQuarantined(system, id))),
    );
  quarantine
    .command("put-back")
    .description("puts records back, so that their relay takes them again")
    .argument("[id]", "as listed")
    .option("--all", "all records")
    .option("--payload-file <path>", "corrected content, to replace the record's own")
    .action(async (id: string | undefined, { all, payloadFile }: PutBackOptions, command: Command) => {
      if ((id === undefined) !== (all === true))
        return command.error("Name a record by its id as listed, or use --all.");
      if (payloadFile !== undefined && id === undefined)
        return command.error("--payload-file applies to one record. Name the record by its id.");
      const corrected = payloadFile === undefined ? undefined : readFileSync(payloadFile);
      return withSystem(async (system) => {
        const results =
          id === undefined ? await putBackAll(system) : await putBackRecord(system, id, corrected);
        printJson(results);
        if (results.some(({ outcome }) => outcome === "kept")) process.exitCode = EXIT_REFUSED;
      });
    });

  quarantine
    .command("discard")
    .description("removes a record for good, and lets the later events of its aggregate pass")
    .argument("<id>", "as listed")
    .action((id: string) => withSystem((system) => discardRecord(system, id)));

  const deadLetters = program
    .command("dead-letters")
    .description("messages that a subscription refused, or that could not be delivered to it");
  deadLetters
    .command("list")
    .description("lists the messages")
    .argument("<domain>")
    .argument("<subscription>")
    .action((domain: string, subscription: string) =>
      withSystem(async (system) => printJson(await listDeadLetters(system, { domain, subscription }))),
    );
  deadLetters
    .command("redrive")
    .description("sends the messages to the subscription's queue again")
    .argument("<domain>")
    .argument("<subscription>")
    .action((domain: string, subscription: string) =>
      withSystem(async (system) => printJson(await redriveDeadLetters(system, { domain, subscription }))),
    );

  program
    .command("unclaimed")
    .description("events on the bus that no contract knows")
    .command("list")
    .description("lists the events")
    .action(() => withSystem(async (system) => printJson(await listUnclaimed(system))));
}

interface PutBackOptions {
  all?: true;
  payloadFile?: string;
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
