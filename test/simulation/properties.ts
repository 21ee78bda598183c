/** What a seed may break: the properties of docs/correctness.md, the rules of features, and the behaviours that faults look after. */
export type Property =
  | ("P1" | "P2" | "P3" | "P4" | "P5" | "reuse" | "secret")
  | ("limits" | "hidden" | "audience" | "pace" | "hostile" | "release" | "dpop" | "vault")
  | ("R55" | "R57" | "R85" | "R87" | "R88" | "R89");

export interface Violation {
  readonly property: Property;
  readonly text: string;
  /** Milliseconds of virtual time. */
  readonly at: number;
}
