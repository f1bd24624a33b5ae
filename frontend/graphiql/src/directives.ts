import { buildSchema, isObjectType, type GraphQLSchema } from "graphql";

const SDL = "/schema.graphql";

/**
 * What introspection leaves out: the directives on each field, such as `@signedIn`. The server prints them into its
 * SDL, and the documentation panel shows them if a field knows where it was written.
 */
export class Directives {
  #printed: GraphQLSchema | null = null;

  /** Reads the SDL anew; without one there is only less to show. */
  async read(): Promise<void> {
    const response = await fetch(SDL).catch(() => null);
    this.#printed = response?.ok ? buildSchema(await response.text()) : null;
  }

  /** Adds the directives to the fields of an introspected schema. */
  show = (schema: GraphQLSchema): void => {
    for (const type of Object.values(schema.getTypeMap())) {
      const printed = this.#printed?.getType(type.name);
      if (!isObjectType(type) || !isObjectType(printed)) continue;
      const fields = printed.getFields();
      for (const field of Object.values(type.getFields())) field.astNode = fields[field.name]?.astNode;
    }
  };
}
