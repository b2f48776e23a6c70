import { describe, expect, test } from "vitest";
import { validChange, validFields, validKey, validState } from "../../../runtime/store/validation";
import { Account } from "../../support/domain/account";

const STATE = { accountId: "018f3c1e-0000-7000-8000-000000000001", owner: "Ada", balance: 5, grade: "gold" };

describe("a change", () => {
  test("that fits its event's contract is taken", () => {
    expect(validChange(Account, "AccountCredited", { amount: 5 })).toEqual({ amount: 5 });
  });

  test("that does not fit is refused with the place and not the value", () => {
    expect(() => validChange(Account, "AccountCredited", { amount: -77 })).toThrow(
      expect.objectContaining({
        code: "INVALID_CHANGE",
        message: expect.stringMatching(
          /^The change of "AccountCredited" does not fit its contract: amount: /,
        ) as string,
      }),
    );
    expect(() => validChange(Account, "AccountCredited", { amount: -77 })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("77") as string }),
    );
  });

  test("with a field that the contract does not have is refused, so that nothing private is published by mistake", () => {
    expect(() => validChange(Account, "AccountCredited", { amount: 5, pin: "1234" })).toThrow(
      expect.objectContaining({ code: "INVALID_CHANGE" }),
    );
  });

  test("that is missing is refused", () => {
    expect(() => validChange(Account, "AccountOpened", undefined)).toThrow(
      expect.objectContaining({ code: "INVALID_CHANGE" }),
    );
  });

  test.each(["AccountVanished", "constructor", "__proto__"])(
    "of the event %s, which the contract does not have, is refused with the names of those that it has",
    (type) => {
      expect(() => validChange(Account, type, {})).toThrow(
        expect.objectContaining({
          code: "EVENT_UNKNOWN",
          message: `bank.Account has no event "${type}". Its events are AccountOpened, AccountCredited, AccountRenamed, AccountClosed.`,
        }),
      );
    },
  );
});

describe("a state", () => {
  test("is what the contract publishes, and nothing else", () => {
    expect(validState(Account, { ...STATE, note: "private" })).toEqual(STATE);
  });

  test("that does not fit is refused with every place and no value", () => {
    expect(() => validState(Account, { ...STATE, owner: "", balance: -77 })).toThrow(
      expect.objectContaining({
        code: "INVALID_STATE",
        message: expect.stringMatching(
          /^The state of bank\.Account does not fit its contract: owner: [^;]*; balance: [^;]*\. Nothing was written\.$/,
        ) as string,
      }),
    );
  });
});

describe("some fields of a state", () => {
  test("that fit are taken, each by itself, and what the contract does not publish is not looked at", () => {
    expect(() => validFields(Account, Account.state(), { balance: 7, note: 5, other: 1 })).not.toThrow();
  });

  test("that do not fit are refused with every place and no value", () => {
    expect(() => validFields(Account, Account.state(), { owner: "", balance: -77 })).toThrow(
      expect.objectContaining({
        code: "INVALID_STATE",
        message: expect.stringMatching(/owner: [^;]*; balance: [^;]*\. Nothing was written\.$/) as string,
      }),
    );
  });
});

describe("a key", () => {
  test("is a text of 1 to 256 characters", () => {
    for (const key of ["a", "x".repeat(256), "😀".repeat(256)]) expect(validKey(Account, key)).toBe(key);
  });

  test.each([
    ["", '""'],
    ["x".repeat(257), "257 characters"],
    ["a\0", "2 characters"],
    [5, "number"],
    [undefined, "undefined"],
  ])("that is not is refused, and quoted in few words: %j", (key, quoted) => {
    expect(() => validKey(Account, key)).toThrow(
      expect.objectContaining({
        code: "INVALID_KEY",
        message: expect.stringMatching(
          new RegExp(`^The accountId of bank\\.Account is not a text of 1 to 256 characters.*${quoted}`),
        ) as string,
      }),
    );
  });
});
