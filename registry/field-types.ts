import type { z } from "zod";

/** Whether a field is text, as far as it has a value. */
export interface TextField {
  isText: boolean;
  isNullable: boolean;
  isOptional: boolean;
}

/** The parts of zod's definitions that this looks at. Source: zod 4, core/schemas. */
interface Definition {
  type: string;
  innerType: z.core.$ZodType;
  out: z.core.$ZodType;
  options: readonly z.core.$ZodType[];
  entries: Record<string, unknown>;
  values: readonly unknown[];
  getter: () => z.core.$ZodType;
}

const TEXT: TextField = { isText: true, isNullable: false, isOptional: false };

/**
 * Determines whether the values that a field's schema yields are text: as a key or an index needs it, in the registry as
 * in the types (`TextIn` in runtime/define/table.ts).
 */
export function textField(schema: z.core.$ZodType): TextField {
  const definition = schema._zod.def as unknown as Definition;
  switch (definition.type) {
    case "string":
    case "template_literal":
      return TEXT;
    case "enum":
      return ofValues(Object.values(definition.entries));
    case "literal":
      return ofValues(definition.values);
    case "null":
      return ofValues([null]);
    case "optional":
      return { ...textField(definition.innerType), isOptional: true };
    case "nullable":
      return { ...textField(definition.innerType), isNullable: true };
    case "default":
    case "prefault":
    case "catch":
    case "nonoptional":
      return { ...textField(definition.innerType), isOptional: false };
    case "readonly":
      return textField(definition.innerType);
    case "lazy":
      return textField(definition.getter());
    case "pipe":
      return textField(definition.out);
    case "union":
      return allOf(definition.options.map(textField));
    default:
      return { ...TEXT, isText: false };
  }
}

function ofValues(values: readonly unknown[]): TextField {
  return {
    isText: values.every((value) => typeof value === "string" || value === null || value === undefined),
    isNullable: values.includes(null),
    isOptional: values.includes(undefined),
  };
}

function allOf(fields: readonly TextField[]): TextField {
  return {
    isText: fields.every(({ isText }) => isText),
    isNullable: fields.some(({ isNullable }) => isNullable),
    isOptional: fields.some(({ isOptional }) => isOptional),
  };
}
