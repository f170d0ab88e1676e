// The strip at the top: what the control plane and the back office tell, looked at again while the page is open.

import { ask, control } from "./asking.js";
import { byId, count, make, moment, several } from "./showing.js";

const EVERY_MS = 3000;

function quota(told) {
  return make("span", {}, `${count(Math.max(0, told.remaining))} of ${count(told.limit)} calls per ${told.unit} left`, ...(told.reset_at ? [", back ", moment(told.reset_at)] : []));
}

function fault(told) {
  const noun = told.method ? `${told.method} call` : "call";
  const which = told.times == null ? `all ${noun}s` : several(told.times, noun);
  const skip = told.skip ? `, after ${several(told.skip, "call")}` : "";
  return make("li", {}, make("strong", {}, told.kind), ` for ${which}${told.path ? ` whose path holds ${told.path}` : ""}${skip}`);
}

function publication(told) {
  const message = [told.message, told.records_errors?.length ? several(told.records_errors.length, "error") + " in records" : ""].filter(Boolean);
  return make("span", {}, make("strong", {}, told.status), told.is_published === false ? ", not published, " : ", ", moment(told.since), ...message.map((text) => `: ${text}`));
}

async function look(dataset) {
  const [quotas, faults, published] = await Promise.all([
    control("quota"),
    control("faults"),
    dataset ? ask(`/datasets/${encodeURIComponent(dataset)}/publication`) : null,
  ]);
  const told = [["Quota", quotas.portal ? quota(quotas.portal) : "none"]];
  const own = dataset ? quotas.datasets[dataset] : null;
  if (own) told.push(["Quota of this dataset", quota(own)]);
  told.push(["Faults", faults.length ? make("ul", { class: "faults" }, ...faults.map(fault)) : "none set"]);
  if (published) told.push(["Publication", publication(published)]);
  return make("dl", {}, ...told.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

export function watch(dataset = null) {
  const show = async () => {
    let now;
    try {
      now = await look(dataset);
    } catch {
      now = make("p", {}, "The state of the portal is not known.");
    }
    byId("state").replaceChildren(now);
  };
  setInterval(() => document.hidden || show(), EVERY_MS);
  return show();
}
