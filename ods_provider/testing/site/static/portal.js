import { ask, saying } from "./asking.js";
import { literal } from "./query.js";
import { address, byId, cell, count, make, moment, pages, several } from "./showing.js";
import { watch } from "./state.js";

const PAGE = 50;
const asked = new URLSearchParams(location.search);
const text = asked.get("q")?.trim() ?? "";
const page = Math.max(1, parseInt(asked.get("page"), 10) || 1);

function row(dataset) {
  const metas = dataset.metas?.default ?? {};
  const name = [make("a", { href: address(dataset.dataset_id) }, metas.title || dataset.dataset_id), make("code", {}, dataset.dataset_id)];
  if (!dataset.data_visible) name.push(make("span", { class: "mark" }, "records need a key"));
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, ...name),
    make("td", { class: "number" }, metas.records_count == null ? cell(null) : count(metas.records_count)),
    make("td", {}, moment(metas.data_processed)),
  );
}

async function show() {
  byId("q").value = text;
  const params = [["limit", PAGE], ["offset", (page - 1) * PAGE]];
  if (text) params.push(["where", literal(text)]);
  const found = await ask("/datasets", params);
  byId("found").textContent = several(found.total_count, "dataset") + (text ? ` with “${text}”` : "");
  document.querySelector("#datasets tbody").replaceChildren(...found.results.map(row));
  byId("datasets").hidden = !found.results.length;
  const to = (number) => `?${new URLSearchParams({ ...(text && { q: text }), page: number })}`;
  byId("pages").replaceChildren(...pages(page, Math.ceil(found.total_count / PAGE), to).filter(Boolean));
}

const shown = show().catch((error) => (byId("alert").textContent = saying(error)));
await Promise.all([shown, watch()]);
document.body.dataset.ready = "yes";
