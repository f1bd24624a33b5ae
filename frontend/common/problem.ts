/** What is wrong with a form: with the field of this name, or, with null, with all of it. */
export interface Problem {
  readonly field: string | null;
  readonly text: string;
}

/** What is wrong with all of a form. */
export const wrong = (text: string): Problem => ({ field: null, text });
