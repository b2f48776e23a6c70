/** The name of a bus that is given by name, by ARN, or not at all. */
export function eventBusName(nameOrArn: string | undefined): string {
  if (nameOrArn === undefined) return "default";
  return nameOrArn.includes(":event-bus/") ? nameOrArn.slice(nameOrArn.lastIndexOf("/") + 1) : nameOrArn;
}
