import { ask, saying } from "./asking.js";
import { plot } from "./map.js";
import { PAGE, WINDOW, conditions, field, params, queries, search, view } from "./query.js";
import { byId, cell, count, make, moment, pages, several, words } from "./showing.js";
import { watch } from "./state.js";

const MOST_POINTS = 500;
const AT_ONCE = 100; // rows of a page of the API
const SORTED = new Set(["text", "int", "double", "date", "datetime", "boolean"]);
const id = decodeURIComponent(location.pathname.split("/")[3]);
const one = `/datasets/${encodeURIComponent(id)}`;
const now = view(location.search);

const many = (column) => Boolean(column.annotations?.multivalued);

// How its cells are set: numbers to the right, what may be long in several lines.
function kind(column) {
  if (column.type === "json_blob") return "long";
  if (many(column) || column.type === "text") return "words";
  return ["int", "double"].includes(column.type) ? "number" : null;
}

function describe(dataset) {
  const metas = dataset.metas?.default ?? {};
  document.title = `${metas.title || id} – local portal`;
  byId("title").textContent = metas.title || id;
  byId("description").textContent = words(metas.description);
  const facts = [
    ["Id", make("code", {}, id)],
    ["Rows", metas.records_count == null ? null : count(metas.records_count)],
    ["Updated", metas.data_processed ? moment(metas.data_processed) : null],
    ["Publisher", metas.publisher],
    ["License", metas.license],
  ].filter(([, value]) => value != null && value !== "");
  byId("facts").append(...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
  const types = (column) => (many(column) ? `${column.type}, several` : column.type);
  document.querySelector("#fields tbody").append(
    ...dataset.fields.map((column) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, make("code", {}, column.name)),
        make("td", {}, types(column)),
        make("td", {}, column.label ?? ""),
        make("td", {}, words(column.description) || cell(null)),
      ),
    ),
  );
}

function head(column) {
  const name = field(column.name);
  const order = now.order_by === `${name} desc` ? "descending" : [name, `${name} asc`].includes(now.order_by) ? "ascending" : null;
  if (!SORTED.has(column.type) || many(column)) return make("th", { scope: "col" }, column.label || column.name);
  const next = order === "ascending" ? `${name} desc` : name;
  const arrow = make("span", { "aria-hidden": "true" }, { ascending: " ↑", descending: " ↓" }[order] ?? "");
  const link = make("a", { href: search({ ...now, order_by: next, page: 1 }), title: `Sort by ${column.name}` }, column.label || column.name, arrow);
  return make("th", { scope: "col", class: kind(column), "aria-sort": order ?? "none" }, link);
}


async function records(fields) {
  const found = await ask(`${one}/records`, params(now));
  const first = (now.page - 1) * PAGE;
  const range = found.results.length ? `Rows ${count(first + 1)} to ${count(first + found.results.length)} of ${count(found.total_count)}` : several(found.total_count, "row");
  const beyond = found.total_count > WINDOW ? ` The API lists the first ${count(WINDOW)}; an export has all.` : "";
  byId("found").textContent = `${range}.${beyond}`;
  document.querySelector("#records thead").replaceChildren(make("tr", {}, ...fields.map(head)));
  document.querySelector("#records tbody").replaceChildren(
    ...found.results.map((row) => make("tr", {}, ...fields.map((column) => make("td", { class: kind(column) }, cell(row[column.name], column.type))))),
  );
  byId("records-region").hidden = !found.results.length;
  const last = Math.ceil(Math.min(found.total_count, WINDOW) / PAGE);
  byId("pages").replaceChildren(...pages(now.page, last, (page) => search({ ...now, page })).filter(Boolean));
  return found.total_count;
}

const isPoint = (value) => value != null && Number.isFinite(value.lon) && Number.isFinite(value.lat);

async function map(fields, total) {
  const place = fields.find((column) => column.type === "geo_point_2d" && !many(column));
  if (!place || !total) return;
  const named = fields.find((column) => column.type === "text" && !many(column) && !column.annotations?.id) ?? place;
  const select = [...new Set([place, named])].map((column) => field(column.name)).join(", ");
  const points = [];
  let looked = 0;
  while (looked < Math.min(total, MOST_POINTS)) {
    const page = await ask(`${one}/records`, [["select", select], ["limit", AT_ONCE], ["offset", looked], ...conditions(now)]);
    if (!page.results.length) break;
    looked += page.results.length;
    for (const row of page.results) {
      const at = row[place.name];
      if (isPoint(at)) points.push({ ...at, name: named === place ? "" : (row[named.name] ?? "") });
    }
  }
  byId("map").hidden = false;
  const of = looked < total ? `the first ${count(looked)} of ${count(total)} rows` : several(looked, "row");
  byId("plotted").textContent = `${several(points.length, "point")} (${place.label || place.name}) in ${of}.`;
  if (points.length) byId("plot").append(plot(points, Math.max(280, byId("plot").clientWidth)));
}

function copying(text) {
  const said = make("span", { role: "status" });
  const button = make("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(button.closest("div").querySelector("code"));
      said.textContent = "Selected: copy it with Ctrl-C.";
    }
  });
  return [button, said];
}

function query() {
  byId("queries").append(
    ...queries(id, now).map(([name, text]) => {
      const [button, said] = copying(text);
      button.setAttribute("aria-label", `Copy: ${name}`);
      return make("div", { class: "query" }, make("h3", {}, name), make("pre", { tabindex: 0, "aria-label": name }, make("code", {}, text)), button, said);
    }),
  );
}

async function show() {
  byId("title").textContent = id;
  const dataset = await ask(one);
  describe(dataset);
  byId("dataset").hidden = false;
  for (const name of ["q", "where", "order_by"]) byId(name).value = now[name];
  byId("all").href = location.pathname;
  byId("all").hidden = !(now.q || now.where || now.order_by);
  query();
  try {
    await map(dataset.fields, await records(dataset.fields));
  } catch (error) {
    const gated = error.status === 403 && !dataset.data_visible;
    byId("refused").textContent = gated ? "The records of this dataset need an API key, and this page has none. Programs get them with theirs." : saying(error);
    byId("search").hidden = gated;
  }
}

const shown = show().then(
  () => watch(id),
  (error) => {
    byId("alert").textContent = saying(error);
    return watch();
  },
);
await shown;
document.body.dataset.ready = "yes";
