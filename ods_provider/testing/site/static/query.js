// What a page shows, as the query that gives it: for the API, for the command line, and in Python.

export const PAGE = 20;
export const WINDOW = 10000; // beyond it the API lists nothing

// A text as ODSQL writes it: alone in a filter it is looked for in all fields.
export const literal = (text) => `"${text.replace(/[\\"]/g, "\\$&")}"`;

const WORDS = new Set(["and", "or", "not", "in", "is", "like", "as", "to", "asc", "desc", "distinct", "true", "false", "null"]);
export const field = (name) => (/^[a-z_]\w*$/i.test(name) && !WORDS.has(name.toLowerCase()) ? name : `\`${name}\``);

export function view(search) {
  const asked = new URLSearchParams(search);
  const given = (name) => asked.get(name)?.trim() ?? "";
  return { q: given("q"), where: given("where"), order_by: given("order_by"), page: Math.max(1, parseInt(given("page"), 10) || 1) };
}

export const search = (changed) =>
  `?${new URLSearchParams(Object.entries(changed).filter(([name, value]) => value && !(name === "page" && value === 1)))}`;

const filters = (view) => [...(view.q ? [literal(view.q)] : []), ...(view.where ? [view.where] : [])];

export function conditions(view) {
  return [...filters(view).map((clause) => ["where", clause]), ...(view.order_by ? [["order_by", view.order_by]] : [])];
}

export function params(view) {
  const offset = (view.page - 1) * PAGE;
  return [["limit", Math.max(0, Math.min(PAGE, WINDOW - offset))], ...(offset ? [["offset", offset]] : []), ...conditions(view)];
}

const shell = (text) => (/^[\w@.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const python = (text) => JSON.stringify(text);

export function queries(dataset, view) {
  const root = location.origin;
  const found = filters(view);
  // The commands and the client begin at the first row, always.
  const rows = view.page * PAGE;
  const options = [...found.map((clause) => `--where ${shell(clause)}`), ...(view.order_by ? [`--order-by ${shell(view.order_by)}`] : [])];
  const where = found.length > 1 ? `[${found.map(python).join(", ")}]` : found.map(python).join("");
  const named = [...(where ? [`where=${where}`] : []), ...(view.order_by ? [`order_by=${python(view.order_by)}`] : []), `limit=${rows}`];
  const from = view.page > 1 ? `, rows 1 to ${rows}` : "";
  return [
    ["Explore v2.1", `${root}/api/explore/v2.1/catalog/datasets/${encodeURIComponent(dataset)}/records?${new URLSearchParams(params(view))}`],
    [`Command line${from}`, ["ods records", shell(dataset), ...options, `--limit ${rows}`, `--host ${root}`].join(" ")],
    [`Python${from}`, `from ods_provider import OdsClient; rows = list(OdsClient(${python(root)}).records(${[python(dataset), ...named].join(", ")}))`],
  ];
}
