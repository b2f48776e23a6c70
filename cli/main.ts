import { Command } from "commander";
import { loadDomains } from "../domains/registry";
import type { AnyDomain } from "../runtime/define/domain";
import { loggedReason } from "../runtime/function/private-values";
import { describeCommands, describeDomain } from "./describe";

/** This command needs no system. Without the AWS SDK, which all others bring, it answers in half the time. */
const WITHOUT_SYSTEM = "list";

const program = new Command("domains")
  .description("Talks to the domains of a running system (npm start).")
  .showHelpAfterError()
  .showSuggestionAfterError();

program
  .command(WITHOUT_SYSTEM)
  .description("lists the domains: tables, events, subscriptions, commands")
  .action(() => {
    const all = registeredDomains();
    print(all.map((domain) => describeDomain(domain, all)).join("\n\n"));
  });

program
  .command("send")
  .description("sends a command through the domain's deployed command function")
  .argument("<domain>")
  .argument("<command>")
  .argument("<input>", 'JSON, e.g. \'{"customerId":"...","city":"Lyon"}\'')
  .option("--id <id>", "ID of the request; sent again, the same ID returns the original answer")
  .action(async (domain: string, command: string, input: string, { id }: { id?: string }) => {
    const { EXIT_REFUSED, withSystem } = await import("./running-system.js");
    const { send } = await import("./send.js");
    await withSystem(async (system) => {
      const answer = await send(system, { domain, command, input, ...(id === undefined ? {} : { id }) });
      print(JSON.stringify(answer, null, 2));
      const named = registeredDomains().filter(({ name }) => name === domain);
      if (answer.outcome === "invalid") process.stderr.write(`${named.map(describeCommands).join()}\n`);
      if (answer.outcome !== "done") process.exitCode = EXIT_REFUSED;
    });
  });

program
  .command("show")
  .description("prints a projection, or one aggregate of it")
  .argument("<domain>")
  .argument("<projection>")
  .argument("[id]")
  .action(async (domain: string, projection: string, id: string | undefined) => {
    const { withSystem } = await import("./running-system.js");
    const { show } = await import("./show.js");
    await withSystem(async (system) => {
      const items = await show(system, { domain, projection, ...(id === undefined ? {} : { id }) });
      print(JSON.stringify(id === undefined ? items : items[0], null, 2));
    });
  });

run().catch((error: unknown) => {
  const { code = "ERROR", reason } = loggedReason(error);
  process.stderr.write(`${code}: ${reason}\n`);
  process.exitCode = 1;
});

async function run(): Promise<void> {
  if (process.argv[2] !== WITHOUT_SYSTEM) {
    const { addOnCallCommands } = await import("./on-call/commands.js");
    addOnCallCommands(program);
  }
  await program.parseAsync();
}

function registeredDomains(): AnyDomain[] {
  const { modules, microservices } = loadDomains();
  return [...modules, ...microservices];
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
