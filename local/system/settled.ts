import { codedError } from "../../runtime/function/coded-error";
import { waitUntilAllDrained } from "../event-sources/drain";
import type { EventSource } from "../event-sources/event-source";
import type { LocalCapture } from "./capture";

const POLL_MILLISECONDS = 50;

/**
 * Waits until everything that was committed has arrived everywhere. A reaction writes to an outbox again, which capture then has to
 * bring: so capture must be at the tip before and after the sources were found drained, with no new record in between.
 *
 * @throws EVENT_SOURCE_NOT_DRAINED, CAPTURE_NOT_DRAINED after the time-out
 */
export async function waitUntilSettled(
  sources: readonly EventSource[],
  capture: LocalCapture,
  timeoutMilliseconds: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMilliseconds;
  for (;;) {
    await captureAtTip(capture, deadline);
    const before = capture.records();
    await waitUntilAllDrained(sources, { timeoutMilliseconds: Math.max(0, deadline - Date.now()) });
    if ((await capture.isIdle()) && capture.records() === before) return;
  }
}

async function captureAtTip(capture: LocalCapture, deadline: number): Promise<void> {
  while (!(await capture.isIdle())) {
    if (Date.now() >= deadline) {
      throw codedError("CAPTURE_NOT_DRAINED", "Change data capture has not read all that was committed.");
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}
