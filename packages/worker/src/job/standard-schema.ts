/**
 * The part of the Standard Schema interface (https://standardschema.dev) that jobs need. Declared here and not imported:
 * Zod, Valibot, ArkType and others fit by their shape, and nobody has to install a schema library.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a validation answers: the value, perhaps transformed, or what is wrong with it. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** `$.city.name: Expected string`, one issue per line: what the caller of a job reads. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  return issues.map((issue) => `${describePath(issue.path)}: ${issue.message}`).join('\n');
}

function describePath(path: SchemaIssue['path'] = []): string {
  const steps = path.map((step) => (typeof step === 'object' ? step.key : step));
  return `$${steps.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')}`;
}
