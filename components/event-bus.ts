import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PolicyStatement } from "./function/policy";

/** The custom EventBridge bus that carries all domain events. */
export class EventBus extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly name: pulumi.Output<string>;

  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("domain-consistency:components:EventBus", name, {}, opts);
    const bus = new aws.cloudwatch.EventBus(name, { description: "Domain events" }, { parent: this });
    this.arn = bus.arn;
    this.name = bus.name;
    this.registerOutputs({ arn: this.arn, name: this.name });
  }

  /** ARN of the bus's rules with this name, which may have wildcards. */
  rules(name: string): pulumi.Output<string> {
    return this.arn.apply((arn) => `${arn.replace(":event-bus/", ":rule/")}/${name}`);
  }

  /** Allows a relay to publish the events of these domains only. */
  publishing(domains: string[]): PolicyStatement {
    return {
      Sid: "PublishEvents",
      Action: ["events:PutEvents"],
      Resource: this.arn,
      Condition: { "ForAllValues:StringEquals": { "events:source": domains } },
    };
  }
}
