import type { Attributes } from '../../../broker/index.ts';
import { mergeDefinitions } from './policy-definition.ts';
import { PolicyTable } from './policy-table.ts';
import type { PolicyDefinition, PolicySubject } from './policy.ts';

/**
 * What holds for a queue or an exchange: the name of its policy, of its operator policy, and both together.
 */
export interface HeldPolicies {
  readonly name: string | undefined;
  readonly operatorName: string | undefined;
  /** Undefined if there is neither. */
  readonly definition: PolicyDefinition | undefined;
}

const none: HeldPolicies = { name: undefined, operatorName: undefined, definition: undefined };

/** The policies of all virtual hosts, and those of operators, which bound them. */
export class Policies {
  readonly own: PolicyTable;
  readonly operator: PolicyTable;

  constructor(attributes: Attributes) {
    this.own = new PolicyTable(attributes, 'amqp-policies');
    this.operator = new PolicyTable(attributes, 'amqp-operator-policies');
  }

  /** Changes whenever another policy may hold for something. */
  get generation(): number {
    return this.own.generation + this.operator.generation;
  }

  /** Whether a virtual host has any. */
  areIn(vhost: string): boolean {
    return this.own.in(vhost).length > 0 || this.operator.in(vhost).length > 0;
  }

  /** Deletes those of a virtual host; resolves when that is on disk. */
  async forget(vhost: string): Promise<void> {
    const gone = [this.own, this.operator].flatMap((table) =>
      table.in(vhost).map((policy) => table.delete(policy)),
    );
    await Promise.all(gone);
  }

  /** What a policy and an operator policy of these names give together. */
  definitionOf(vhost: string, name = '', operatorName = ''): PolicyDefinition | undefined {
    return mergeDefinitions(
      this.own.get(vhost, name)?.definition,
      this.operator.get(vhost, operatorName)?.definition,
    );
  }

  of(subject: PolicySubject): HeldPolicies {
    if (!this.areIn(subject.vhost)) return none;
    const policy = this.own.of(subject);
    const operatorPolicy = this.operator.of(subject);
    return {
      name: policy?.name,
      operatorName: operatorPolicy?.name,
      definition: mergeDefinitions(policy?.definition, operatorPolicy?.definition),
    };
  }
}
