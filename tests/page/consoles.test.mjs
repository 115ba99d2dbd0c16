// The list of objects, the cloud's console, the panels and acting as somebody else, to screen readers and for contrast.
import { everyLook } from "./axe.mjs";
import { states } from "./console_shots.mjs";
import { keepWorker } from "./frames.mjs";
import { visits } from "./harness.mjs";

const walk = async (page, check) => {
  for (const state of ["objects", "cloud", "panel-service", "panel-job", "acting"]) {
    await states[state](page);
    await check(state);
  }
};
everyLook(visits(), walk, keepWorker);
