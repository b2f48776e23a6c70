import { Command } from "commander";
import { loadDomains } from "../domains/registry";
import { errorCode } from "../runtime/function/coded-error";
import { describeCommands, describeDomain } from "./describe";
import { EXIT_REFUSED } from "./exit-code";
import { addOnCallCommands } from "./on-call/commands";
import { send } from "./send";
import { show } from "./show";
import { withSystem } from "./with-system";

const program = new Command("domains")
  .description("Talks to the domains of a running system (npm start).")
  .showHelpAfterError()
  .showSuggestionAfterError();

program
  .command("list")
  .description("lists the domains: tables, events, subscriptions, commands")
  .action(() => {
    const { modules, microservices } = loadDomains();
    print([...modules, ...microservices].map(describeDomain).join("\n\n"));
  });

program
  .command("send")
  .description("sends a command through the domain's deployed command function")
  .argument("<domain>")
  .argument("<command>")
  .argument("<input>", 'JSON, e.g. \'{"customerId":"...","city":"Lyon"}\'')
  .option("--id <id>", "id of the request; the same one again is not done again, and is answered what it was")
  .action((domain: string, command: string, input: string, { id }: { id?: string }) =>
    withSystem(async (system) => {
      const answer = await send(system, { domain, command, input, ...(id === undefined ? {} : { id }) });
      print(JSON.stringify(answer, null, 2));
      if (answer.outcome === "invalid") process.stderr.write(`${describeCommandsOf(domain)}\n`);
      if (answer.outcome !== "done") process.exitCode = EXIT_REFUSED;
    }),
  );

program
  .command("show")
  .description("prints a projection, or one aggregate of it")
  .argument("<domain>")
  .argument("<projection>")
  .argument("[id]")
  .action((domain: string, projection: string, id: string | undefined) =>
    withSystem(async (system) => {
      const items = await show(system, { domain, projection, ...(id === undefined ? {} : { id }) });
      print(JSON.stringify(id === undefined ? items : items[0], null, 2));
    }),
  );

addOnCallCommands(program);

program.parseAsync().catch((error: unknown) => {
  const { message } = error as Error;
  process.stderr.write(`${errorCode(error) ?? "ERROR"}: ${message}\n`);
  process.exitCode = 1;
});

function describeCommandsOf(name: string): string {
  const { modules, microservices } = loadDomains();
  return [...modules, ...microservices]
    .filter((domain) => domain.name === name)
    .map(describeCommands)
    .join();
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
