// How values become elements. What a portal says is put in as text, never as HTML.

export const byId = (id) => document.getElementById(id);

export function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value != null) made.setAttribute(key, value);
  made.append(...children.filter((child) => child != null));
  return made;
}

export const count = (number) => Number(number).toLocaleString("en");
export const several = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

const UNITS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];

export function relative(seconds) {
  const words = new Intl.RelativeTimeFormat("en", { numeric: "always" });
  for (const [unit, size] of UNITS) if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  return seconds > 0 ? "in less than a minute" : "just now";
}

export function moment(iso) {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return document.createTextNode("–");
  return make("time", { datetime: iso, title: iso }, relative((at - Date.now()) / 1000));
}

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": " ", "&amp;": "&" };

// Descriptions are HTML on portals: their words are shown, and no document is made of them.
export const words = (html) =>
  String(html ?? "")
    .replace(/<\/?[a-z][^>]*>/gi, " ")
    .replace(/&(?:lt|gt|quot|#39|nbsp|amp);/g, (entity) => ENTITIES[entity])
    .trim();

const MOST = 200;

function shortened(text) {
  if (text.length <= MOST) return document.createTextNode(text);
  return make("span", { title: text.slice(0, 2000) }, `${text.slice(0, MOST)}…`);
}

export function cell(value, type) {
  if (value == null) return make("span", { class: "none" }, "–");
  if (Array.isArray(value) && type !== "json_blob") return shortened(value.join(", "));
  if (type === "geo_point_2d") return document.createTextNode(`${value.lat}, ${value.lon}`);
  if (type === "geo_shape") return shortened(value.geometry?.type ?? JSON.stringify(value));
  if (type === "file") return file(value);
  return shortened(typeof value === "object" ? JSON.stringify(value) : String(value));
}

function file(value) {
  const name = String(value.filename ?? "file");
  // Only what this portal serves itself becomes a link.
  return String(value.url).startsWith(`${location.origin}/`) ? make("a", { href: value.url }, name) : document.createTextNode(name);
}

export const address = (dataset) => `/explore/dataset/${encodeURIComponent(dataset)}/table/`;

// The links around a page of a list; `to` gives a page's address.
export function pages(page, last, to) {
  const link = (number, text, rel) => (number >= 1 && number <= last ? make("a", { href: to(number), rel }, text) : null);
  if (last <= 1) return [];
  return [link(Math.min(page - 1, last), "← Previous", "prev"), make("span", {}, `Page ${count(page)} of ${count(last)}`), link(page + 1, "Next →", "next")];
}
