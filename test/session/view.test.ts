import { expect, it } from "vitest";
import { createView } from "../../src/session/view.js";
import { record } from "../ledger/records.js";
import { contextOver } from "../support/context.js";

it("R3 hears of no refresh when the commit that it shows only comes to count higher, as it may where storage fails", () => {
  const { context, events, heard } = contextOver({ options: { readClaims: false } });
  const view = createView(context);
  const show = (changes: Parameters<typeof record>[0]) => {
    view.changed({ record: record(changes), before: undefined });
    events.flush();
    return heard.map(([event]) => event).filter((event) => event !== "change");
  };
  expect(show({ by: context.tab })).toEqual(["signed-in"]);
  expect(show({ version: 9 })).toEqual(["signed-in"]);
  expect(show({ version: 10, committedAt: 3_000, tokens: { accessToken: "next" } })).toEqual(["signed-in", "refreshed"]);
});
