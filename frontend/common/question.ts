/** What the viewer has to decide before anything is lost. */
export interface Question {
  readonly id: number;
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly no: string;
  readonly answer: (yes: boolean) => void;
}
